//! `/api/ds/query` against recorded data sources.

use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::HttpRecorder;

use crate::server::Server;

const MATRIX: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"job":"a"},"values":[[1700000010,"1"],[1700000040,"NaN"]]}]}}"#;
const VECTOR: &str = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"job":"a"},"value":[1700000040,"2"]}]}}"#;
const STREAMS: &str = r#"{"status":"success","data":{"resultType":"streams","result":[{"stream":{"app":"x"},"values":[["1700000010000000000","hello"]]}]}}"#;

/// Answers as Prometheus and Loki do; a query with `broken` in it is refused.
async fn upstream() -> HttpRecorder {
    HttpRecorder::answering(|request| {
        let body = String::from_utf8_lossy(&request.body);
        if body.contains("broken") {
            let text = r#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:1: parse error"}"#;
            return (StatusCode::BAD_REQUEST, text.to_owned());
        }
        let text = match request.uri.path() {
            "/api/v1/query_range" => MATRIX,
            "/api/v1/query" => VECTOR,
            "/loki/api/v1/query_range" => STREAMS,
            _ => return (StatusCode::NOT_FOUND, "404 page not found\n".to_owned()),
        };
        (StatusCode::OK, text.to_owned())
    })
    .await
}

async fn server(upstream: &HttpRecorder) -> Server {
    let file = format!(
        "datasources:\n- {{name: Metrics, uid: m, type: prometheus, url: '{0}', isDefault: true, jsonData: {{timeInterval: 15s, customQueryParameters: 'tenant=7'}}}}\n\
         - {{name: Logs, uid: l, type: loki, url: '{0}'}}\n- {{name: Dead, uid: d, type: prometheus, url: 'http://127.0.0.1:9'}}\n\
         - {{name: Db, uid: pg, type: postgres, url: 'localhost:5432'}}\n",
        upstream.url("")
    );
    Server::start(&[("datasources/a.yml", &file)], &[]).await
}

fn form(body: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(body).into_owned().collect()
}

#[tokio::test]
async fn ranges_instants_and_logs_in_one_request() {
    let upstream = upstream().await;
    let server = server(&upstream).await;
    let request = json!({"from": "1700000000000", "to": "1700000059000", "queries": [
        {"refId": "A", "datasource": {"uid": "m", "type": "prometheus"}, "expr": "rate(x[$__rate_interval])", "legendFormat": "{{job}}!",
         "range": true, "instant": true, "intervalMs": 30000, "maxDataPoints": 1000},
        {"refId": "B", "datasource": {"uid": "l"}, "expr": "{app=\"x\"}", "maxLines": 10, "intervalMs": 1000},
        {"refId": "C", "expr": "hidden", "hide": true},
    ]});
    let answer = server.admin().post("/api/ds/query", &request).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let results = answer.json()["results"].clone();
    let fields = |interval: Option<i64>| {
        let mut time = json!({"name": "Time", "type": "time", "typeInfo": {"frame": "time.Time"}});
        if let Some(interval) = interval {
            time["config"] = json!({"interval": interval});
        }
        json!([time, {"name": "Value", "type": "number", "typeInfo": {"frame": "float64"}, "labels": {"job": "a"},
                      "config": {"displayNameFromDS": "a!"}}])
    };
    assert_eq!(
        results["A"],
        json!({"status": 200, "frames": [
            {"schema": {"name": "a!", "refId": "A", "fields": fields(Some(30000)), "meta": {
                "type": "timeseries-multi", "typeVersion": [0, 1], "custom": {"resultType": "matrix"},
                "executedQueryString": "Expr: rate(x[1m0s])\nStep: 30s"}},
             "data": {"values": [[1700000010000i64, 1700000040000i64], [1, null]], "entities": [null, {"NaN": [1]}]}},
            {"schema": {"name": "a!", "refId": "A-Instant", "fields": fields(None), "meta": {
                "type": "numeric-multi", "typeVersion": [0, 1], "custom": {"resultType": "vector"},
                "executedQueryString": "Expr: rate(x[1m0s])"}},
             "data": {"values": [[1700000040000i64], [2]]}},
        ]})
    );
    let logs = &results["B"]["frames"][0];
    assert_eq!(logs["schema"]["meta"]["preferredVisualisationType"], "logs");
    assert_eq!(logs["data"]["values"][0], json!([{"app": "x"}]));
    assert_eq!(logs["data"]["values"][2], json!(["hello"]));
    assert_eq!(results.get("C"), None, "hidden queries do not run");

    let mut seen = upstream.take();
    seen.sort_by_key(|request| request.uri.path().to_owned());
    let pairs = |at: usize| form(&seen[at].body);
    let has = |at: usize, name: &str, value: &str| {
        assert!(pairs(at).contains(&(name.into(), value.into())), "{name}={value} in {:?}", pairs(at));
    };
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[0].uri.path(), "/api/v1/query");
    has(0, "time", "1700000059");
    assert_eq!(seen[1].uri.path(), "/api/v1/query_range");
    has(1, "query", "rate(x[1m0s])");
    has(1, "start", "1699999980");
    has(1, "end", "1700000040");
    has(1, "step", "30");
    has(1, "tenant", "7");
    assert_eq!(seen[2].uri.path(), "/loki/api/v1/query_range");
    has(2, "start", "1700000000000000000");
    has(2, "limit", "10");
    has(2, "direction", "backward");
}

#[tokio::test]
async fn one_failure_does_not_fail_the_others() {
    let upstream = upstream().await;
    let server = server(&upstream).await;
    let request = json!({"from": "now-1h", "to": "now", "queries": [
        {"refId": "A", "expr": "up"},
        {"refId": "B", "expr": "broken"},
        {"refId": "C", "datasource": {"uid": "d"}, "expr": "up"},
        {"refId": "D", "datasource": {"uid": "none"}, "expr": "up"},
        {"refId": "E", "datasource": {"uid": "pg"}, "expr": "select 1"},
        {"refId": "F", "datasource": {"uid": "__expr__"}, "expr": "$A"},
        {"refId": "G", "datasource": {"uid": "l"}, "expr": "x", "queryType": "instant"},
    ]});
    let answer = server.admin().post("/api/ds/query", &request).await;
    assert_eq!(answer.status, StatusCode::MULTI_STATUS);
    let results = answer.json()["results"].clone();
    assert_eq!(results["A"]["frames"].as_array().unwrap().len(), 1);
    let check = |ref_id: &str, status: u16, source: &str, error: &str| {
        let result = &results[ref_id];
        assert_eq!(result["status"], status, "{result}");
        assert_eq!(result["errorSource"], source, "{result}");
        let text = result["error"].as_str().unwrap();
        assert!(text.starts_with(error), "{text}");
    };
    check("B", 400, "downstream", "bad_data: invalid parameter \"query\": 1:1: parse error");
    check("C", 502, "downstream", "data source Dead cannot be reached: ");
    check("D", 404, "plugin", "Data source none not found");
    check("E", 400, "plugin", "not supported yet: queries to data sources of type postgres");
    check("F", 400, "plugin", "not supported yet: server-side expressions");
    check("G", 404, "downstream", "404 page not found");
}

#[tokio::test]
async fn refused_requests() {
    let upstream = upstream().await;
    let server = server(&upstream).await;
    let check = async |body: Value, message: &str| {
        let answer = server.admin().post("/api/ds/query", &body).await;
        assert_eq!((answer.status, &answer.json()["message"]), (StatusCode::BAD_REQUEST, &json!(message)));
    };
    check(json!({"queries": []}), "No queries found in query").await;
    check(
        json!({"from": "later", "to": "now", "queries": [{}]}),
        "from and to must be milliseconds or like now-6h, and from not after to",
    )
    .await;
    assert_eq!(server.anonymous().post("/api/ds/query", &json!({})).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn dashboards_from_elsewhere_find_their_data_source() {
    let upstream = upstream().await;
    let server = server(&upstream).await;
    for reference in [json!("Metrics"), json!({"uid": "metrics"}), json!({"type": "loki"}), Value::Null] {
        let request =
            json!({"from": "now-1h", "to": "now", "queries": [{"expr": "up", "datasource": reference}]});
        let answer = server.admin().post("/api/ds/query", &request).await;
        assert_eq!(answer.status, StatusCode::OK, "{reference}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_its_query() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    // A data source that takes the question and never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let file = format!(
        "datasources: [{{name: Slow, uid: s, type: prometheus, url: 'http://{}'}}]",
        silent.local_addr().unwrap()
    );
    let server = Server::start(&[("datasources/a.yml", &file)], &[]).await;
    let body = json!({"from": "now-1h", "to": "now", "queries": [{"expr": "up"}]}).to_string();
    let address = server.base.trim_start_matches("http://");
    let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /api/ds/query HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic YWRtaW46Y29ycmVjdCBob3JzZQ==\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    client.write_all(head.as_bytes()).await.unwrap();
    let (mut asked, _) = silent.accept().await.unwrap();
    let mut question = vec![0; 4096];
    assert!(asked.read(&mut question).await.unwrap() > 0);
    drop(client);
    // The data source sees the end of the connection long before the query's own time is up.
    let hung_up = async { while asked.read(&mut question).await.unwrap_or(0) > 0 {} };
    tokio::time::timeout(std::time::Duration::from_secs(10), hung_up).await.expect("cancelled");
}

#[tokio::test]
async fn a_data_source_has_its_time() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let file = format!(
        "datasources: [{{name: Slow, uid: s, type: prometheus, url: 'http://{}', jsonData: {{queryTimeout: 50ms}}}}]",
        silent.local_addr().unwrap()
    );
    let server = Server::start(&[("datasources/a.yml", &file)], &[]).await;
    let request = json!({"from": "now-1h", "to": "now", "queries": [{"refId": "A", "expr": "up"}]});
    let result = server.admin().post("/api/ds/query", &request).await.json()["results"]["A"].clone();
    assert_eq!(
        (&result["status"], &result["error"]),
        (&json!(504), &json!("data source Slow did not answer within 0.05 seconds"))
    );
}
