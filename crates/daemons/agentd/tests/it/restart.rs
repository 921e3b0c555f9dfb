//! Ends and starts: nothing is lost, nothing comes twice after an orderly end.

use std::time::Duration;

use http::StatusCode;
use tokio::runtime::Runtime;

use crate::agent::Setup;

#[tokio::test(flavor = "multi_thread")]
async fn an_orderly_end_sends_what_was_read() {
    let setup = Setup::new().await;
    setup.append("a.log", "1\n2\n");
    let agent = setup.start().await;
    setup.wait_for_lines(2).await;
    agent.stop().await;
    setup.append("a.log", "3\n");
    let agent = setup.start().await;
    setup.wait_for_lines(3).await;
    agent.stop().await;
    assert_eq!(setup.lines(), ["1", "2", "3"]);
}

#[test]
fn an_agent_that_is_killed_while_the_server_is_down_loses_nothing() {
    let outside = Runtime::new().expect("a runtime");
    let setup = outside.block_on(Setup::new());
    let want: Vec<String> = (0..500).map(|line| format!("line {line}")).collect();
    let (first, second) = want.split_at(200);
    setup.append("a.log", &(first.join("\n") + "\n"));
    let inside = Runtime::new().expect("a runtime");
    let agent = inside.block_on(setup.start());
    outside.block_on(async {
        setup.wait_for_lines(200).await;
        setup.wait_for_position("a.log", std::fs::metadata(setup.path("a.log")).expect("there").len()).await;
    });
    setup.loki.answer(|_| (StatusCode::SERVICE_UNAVAILABLE, "away".into()));
    setup.append("a.log", &(second.join("\n") + "\n"));
    let tried = setup.loki.requests().len() + 3;
    outside.block_on(setup.loki.wait_for(tried));
    // As a kill: nothing of it runs any more, nothing was finished.
    inside.shutdown_timeout(Duration::from_secs(10));
    drop(agent);
    std::fs::rename(setup.path("a.log"), setup.path("a.log.1")).expect("renamed");
    setup.append("a.log", "after the rotation\n");
    setup.loki.take();
    setup.loki.answer(|_| (StatusCode::NO_CONTENT, String::new()));
    outside.block_on(async {
        let agent = setup.start().await;
        setup.wait_for_lines(second.len() + 1).await;
        agent.stop().await;
    });
    let lines = setup.lines();
    assert_eq!(lines[..second.len()], *second, "in order, and nothing of what was delivered before");
    assert_eq!(lines[second.len()..], ["after the rotation"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_takes_the_new_configuration_and_goes_on() {
    let setup = Setup::new().await;
    let path = setup.path("agent.yaml");
    std::fs::write(&path, setup.config()).expect("written");
    let source = agentd::Source::File { path: path.clone(), expand_env: false };
    let options = agentd::Options { source, overrides: agentd::Overrides::default() };
    let agent = crate::agent::Agent::start(options).await;
    setup.append("a.log", "before\n");
    setup.wait_for_lines(1).await;

    std::fs::write(&path, "scrape_configs: [{job_name: x, nonsense: 1}]\n").expect("written");
    let (status, text) = agent.post("/reload").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(text.contains("agent.yaml:1:") && text.contains("nonsense"), "{text}");
    setup.append("a.log", "still\n");
    setup.wait_for_lines(2).await;

    std::fs::write(&path, setup.config().replace("job: test", "job: new")).expect("written");
    let (status, text) = agent.post("/reload").await;
    assert_eq!((status, text.as_str()), (StatusCode::OK, ""));
    setup.append("a.log", "after\n");
    setup.wait_for_lines(3).await;
    let pushes = setup.pushes();
    assert!(pushes.last().is_some_and(|stream| stream.labels.contains("job=\"new\"")), "{pushes:?}");
    agent.stop().await;
    assert_eq!(setup.lines(), ["before", "still", "after"]);
}
