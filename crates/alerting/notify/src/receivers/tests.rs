use std::{path::Path, sync::Arc};

use http::StatusCode;
use model::Labels;
use serde_json::{Value as Json, json};
use testkit::HttpRecorder;

use super::*;
use crate::{Data, Message, NotifyError, Templates, message::Subject, test_support::flush_alert};

fn receiver(yaml: &str) -> ReceiverFile {
    config::parse(Path::new("a.yml"), &format!("name: x\n{yaml}")).expect(yaml)
}

fn check(global: &str, yaml: &str) -> Result<(), String> {
    let global: GlobalConfig = config::parse(Path::new("a.yml"), global).expect(global);
    global.check()?;
    receiver(yaml).check(&global, &mut Warnings::new()).map_err(|error| error.to_string())
}

fn build(yaml: &str) -> Vec<Integration> {
    // A process chooses its cryptography once; a second time only says so.
    let receiver = receiver(yaml);
    receiver.check(&GlobalConfig::default(), &mut Warnings::new()).expect("valid");
    let context = BuildContext {
        global: &GlobalConfig::default(),
        base_dir: Path::new(""),
        templates: &Templates::empty(),
        user_agent: "Alertmanager/test",
    };
    receiver.build(&context).expect("builds")
}

fn message() -> Message {
    let alerts = [
        flush_alert(&[("alertname", "Down"), ("job", "a<b>&")], false),
        flush_alert(&[("alertname", "Down"), ("job", "b")], true),
    ];
    let labels = Labels::from_pairs([("alertname", "Down")]);
    let subject = Subject { receiver: "web.hook", group_labels: &labels, external_url: "http://am" };
    Message {
        group_key: "{}:{alertname=\"Down\"}".into(),
        data: Arc::new(Data::of(&subject, BTreeMap::new(), "first notification", &alerts)),
    }
}

#[tokio::test]
async fn webhooks_get_version_4() {
    let recorder = HttpRecorder::start().await;
    let integrations = build(&format!("webhook_configs: [{{url: '{}'}}]", recorder.url("/hook")));
    assert_eq!((integrations[0].name, integrations[0].send_resolved), ("webhook", true));
    integrations[0].notifier.notify(&message()).await.expect("delivered");
    let request = recorder.requests().remove(0);
    assert_eq!(request.headers["content-type"], "application/json");
    assert_eq!(request.headers["user-agent"], "Alertmanager/test");
    let body = String::from_utf8(request.body.to_vec()).expect("text");
    let want = concat!(
        r#"{"receiver":"web\\.hook","status":"firing","alerts":["#,
        r#"{"status":"firing","labels":{"alertname":"Down","job":"a\u003cb\u003e\u0026"},"annotations":{},"#,
        r#""startsAt":"2023-11-14T22:13:20Z","endsAt":"0001-01-01T00:00:00Z","#,
        r#""generatorURL":"http://prometheus/graph?g0.expr=up","fingerprint":"FP1"},"#,
        r#"{"status":"resolved","labels":{"alertname":"Down","job":"b"},"annotations":{},"#,
        r#""startsAt":"2023-11-14T22:13:20Z","endsAt":"2023-11-14T23:13:20Z","#,
        r#""generatorURL":"http://prometheus/graph?g0.expr=up","fingerprint":"FP2"}],"#,
        r#""notification_reason":"first notification","groupLabels":{"alertname":"Down"},"#,
        r#""commonLabels":{"alertname":"Down"},"commonAnnotations":{},"routeLabels":{},"externalURL":"http://am","#,
        r#""version":"4","groupKey":"{}:{alertname=\"Down\"}","truncatedAlerts":0}"#,
        "\n"
    );
    let fingerprint = |job: &str| {
        format!("{:016x}", Labels::from_pairs([("alertname", "Down"), ("job", job)]).fingerprint())
    };
    assert_eq!(body, want.replace("FP1", &fingerprint("a<b>&")).replace("FP2", &fingerprint("b")));
}

#[tokio::test]
async fn webhooks_can_be_bounded_and_shaped() {
    let recorder = HttpRecorder::start().await;
    let url = recorder.url("/{{ .GroupLabels.alertname }}");
    let integrations = build(&format!(
        "webhook_configs:\n- {{url: '{url}', max_alerts: 1}}\n\
         - url: '{url}'\n  payload: {{'{{{{ .Status }}}}': '{{{{ .Alerts | len }}}}', list: [a, 1, '{{{{ .CommonLabels | toJson }}}}']}}\n"
    ));
    for integration in &integrations {
        integration.notifier.notify(&message()).await.expect("delivered");
    }
    let bodies: Vec<Json> = recorder
        .requests()
        .iter()
        .map(|request| {
            assert_eq!(request.uri.path(), "/Down");
            serde_json::from_slice(&request.body).expect("json")
        })
        .collect();
    assert_eq!(bodies[0]["truncatedAlerts"], json!(1));
    assert_eq!(bodies[0]["alerts"].as_array().map(Vec::len), Some(1));
    assert_eq!(bodies[0]["commonLabels"]["job"], json!("a<b>&"));
    assert_eq!(bodies[1], json!({"firing": 2, "list": ["a", 1, {"alertname": "Down"}]}));
}

#[tokio::test]
async fn webhook_failures_say_whether_to_try_again() {
    let recorder = HttpRecorder::start().await;
    let hook = build(&format!("webhook_configs: [{{url: '{}'}}]", recorder.url("/secret")));
    let fail = async |status: StatusCode| {
        recorder.answer(move |_| (status, "why".into()));
        let error = hook[0].notifier.notify(&message()).await.expect_err("fails");
        (error.to_string(), error.is_retryable())
    };
    assert_eq!(fail(StatusCode::BAD_REQUEST).await, ("unexpected status code 400: why".into(), false));
    assert_eq!(fail(StatusCode::SERVICE_UNAVAILABLE).await, ("unexpected status code 503: why".into(), true));
    let nobody = build("webhook_configs: [{url: 'http://127.0.0.1:1/secret', timeout: 5s}]");
    let error = nobody[0].notifier.notify(&message()).await.expect_err("nobody there");
    assert!(error.is_retryable());
    assert!(!service::report(&error).contains("secret"), "{}", service::report(&error));
}

#[tokio::test]
async fn what_is_not_there_yet_fails_by_name() {
    let yaml = "discord_configs: [{webhook_url: 'http://d/'}]";
    let mut warnings = Warnings::new();
    receiver(yaml).check(&GlobalConfig::default(), &mut warnings).expect("valid");
    let told: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["receivers: not supported yet: discord_configs of receiver \"x\""]);
    let error = build(yaml)[0].notifier.notify(&message()).await.expect_err("not yet");
    assert!(matches!(&error, NotifyError::NotSupported(_)) && !error.is_retryable());
    assert_eq!(error.to_string(), "not supported yet: discord_configs of receiver \"x\"");
}

#[test]
fn entries_are_checked_in_the_original_words() {
    let refuse = |yaml: &str, want: &str| {
        let error = check("{}", yaml).expect_err(yaml);
        assert!(error.ends_with(want), "{yaml}: {error}");
    };
    refuse("webhook_configs: [{}]", "one of url or url_file must be configured");
    refuse(
        "webhook_configs: [{url: 'http://x', url_file: y}]",
        "at most one of url & url_file must be configured",
    );
    refuse("webhook_configs: [null]", "missing webhook config");
    refuse("email_configs: [{}]", "missing to address in email config");
    refuse("email_configs: [{to: a}]", "no global SMTP smarthost set");
    refuse("email_configs: [{to: a, smarthost: 'h:25'}]", "no global SMTP from set");
    refuse("email_configs: [{to: a, smarthost: 'h'}]", "address h: missing port in address");
    refuse("email_configs: [{to: a, headers: {a: b, A: c}}]", "duplicate header \"a\" in email config");
    refuse("pagerduty_configs: [{}]", "missing service or routing key in PagerDuty config");
    refuse("pushover_configs: [{user_key: a}]", "one of token or token_file must be configured");
    refuse(
        "pushover_configs: [{user_key: a, token: b, html: true, monospace: true}]",
        "at most one of monospace & html must be configured",
    );
    refuse("telegram_configs: [{bot_token: a}]", "missing chat_id or chat_id_file on telegram_config");
    refuse(
        "telegram_configs: [{bot_token: a, chat_id: 1, parse_mode: x}]",
        "must be Markdown, MarkdownV2, HTML or empty string",
    );
    refuse("webex_configs: [{room_id: a}]", "missing webex_configs.http_config.authorization");
    refuse("jira_configs: [{project: a}]", "missing issue_type in jira_config");
    refuse("wechat_configs: [{message_type: x}]", "does not match valid options ^(text|markdown)$");
    refuse("victorops_configs: [{api_key: a}]", "missing Routing key in VictorOps config");
    refuse("discord_configs: [{}]", "one of webhook_url or webhook_url_file must be configured");
    refuse("labels: {name: y}", "receiver label \"name\" must match receiver name \"x\", got \"y\"");
    check("{smtp_smarthost: 'h:25', smtp_from: a}", "email_configs: [{to: b}]").expect("valid");
    check(
        "{slack_api_url: 'https://x/'}",
        "slack_configs: [{channel: '#a', actions: [{type: button, text: t, url: u}]}]",
    )
    .expect("valid");
    check("{jira_api_url: 'https://x/'}", "jira_configs: [{project: a, issue_type: b, summary: {template: s, enable_update: false}, description: d}]").expect("valid");
}
