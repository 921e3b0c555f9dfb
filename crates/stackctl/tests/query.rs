//! `stackctl query` as a user runs it, beside a server that answers what metricsd does.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener},
    process::{Command, Output},
    thread::{self, JoinHandle},
};

/// Answers one request; gives what was asked: the request line and the form.
fn serve(status: &'static str, body: &'static str) -> (String, JoinHandle<(String, String)>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream);
        let (mut request, mut length) = (String::new(), 0);
        reader.read_line(&mut request).unwrap();
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).unwrap();
            if header.trim().is_empty() {
                break;
            }
            if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut form = vec![0; length];
        reader.read_exact(&mut form).unwrap();
        let answer =
            format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
        reader.get_mut().write_all(answer.as_bytes()).unwrap();
        (request, String::from_utf8(form).unwrap())
    });
    (url, served)
}

fn explain(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stackctl")).args(["query", "explain"]).args(arguments).output().unwrap()
}

#[test]
fn operators_are_shown_as_a_tree() {
    let (url, served) = serve(
        "200 OK",
        r#"{"status":"success","data":{"resultType":"matrix","result":[],"explain":{"operator":"query","expr":"sum(up)",
            "series":0,"samples":0,"bytes":0,"samplesRead":0,"time":0.001,"inputs":[{"operator":"sum","expr":"sum(up)","series":1,
            "samples":11,"bytes":88,"samplesRead":0,"time":0.003,"inputs":[]}]}}}"#,
    );
    let output = explain(&["--url", &url, "--start=0", "--end=600", "sum(up)"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("3.00 ms   75 %") && text.contains("└─ sum  sum(up)"), "{text}");
    let (request, form) = served.join().unwrap();
    assert!(request.starts_with("POST /api/v1/query_range "), "{request}");
    assert_eq!(form, "query=sum%28up%29&explain=true&start=0&end=600&step=1m");
}

#[test]
fn errors_are_those_of_the_server() {
    let (url, served) = serve(
        "400 Bad Request",
        r#"{"status":"error","errorType":"bad_data","error":"1:5: parse error: no"}"#,
    );
    let output = explain(&["--url", &url, "sum("]);
    served.join().unwrap();
    assert!(!output.status.success());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "stackctl: 1:5: parse error: no\n");

    let (url, served) = serve("200 OK", r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#);
    let output = explain(&["--url", &url, "up"]);
    served.join().unwrap();
    assert!(String::from_utf8(output.stderr).unwrap().contains("does not explain queries"));
}
