use super::*;

fn load(text: &str) -> Result<Config, String> {
    let source = SourceFile { path: "a.yml".into(), text: text.to_owned() };
    Config::of(&source, MatcherMode::Fallback).map_err(|error| report(&error))
}

fn warnings(config: &Config) -> Vec<String> {
    config.warnings.iter().map(ToString::to_string).collect()
}

/// The files that must be refused, and why.
const REFUSED: [(&str, &str); 18] = [
    (
        "conf.mattermost-both-webhook-url-and-file.yml",
        "at most one of mattermost_webhook_url & mattermost_webhook_url_file must be configured",
    ),
    ("conf.mattermost-no-webhook-url.yml", "missing webhook_url or webhook_url_file on mattermost_config"),
    (
        "conf.mattermost-valid-receiver-both-webhook-url-and-file.yml",
        "at most one of mattermost_webhook_url & mattermost_webhook_url_file must be configured",
    ),
    ("conf.nil-source_match_re-inhibition.yml", "invalid regexp value for \"invalid_source_label\""),
    ("conf.nil-target_match_re-inhibition.yml", "invalid regexp value for \"invalid_target_label\""),
    ("conf.opsgenie-default-apikey-old-team.yml", "unknown field `teams`"),
    ("conf.opsgenie-no-apikey.yml", "no global OpsGenie API Key set either inline or in a file"),
    (
        "conf.rocketchat-both-token-and-tokenfile.yml",
        "at most one of rocketchat_token & rocketchat_token_file must be configured",
    ),
    (
        "conf.rocketchat-both-tokenid-and-tokenidfile.yml",
        "at most one of rocketchat_token_id & rocketchat_token_id_file must be configured",
    ),
    (
        "conf.slack-both-file-and-url.yml",
        "at most one of slack_api_url & slack_api_url_file must be configured",
    ),
    (
        "conf.slack-both-url-and-token.yml",
        "at most one of slack_app_token/slack_app_token_file & slack_api_url/slack_api_url_file must be configured",
    ),
    ("conf.slack-no-api-url-or-token.yml", "no Slack API URL nor App token set either inline or in a file"),
    ("conf.sns-invalid.yml", "must provide either a Target ARN, Topic ARN, or Phone Number for SNS config"),
    (
        "conf.telegram-both-bot-token-and-file.yml",
        "at most one of telegram_bot_token & telegram_bot_token_file must be configured",
    ),
    ("conf.telegram-no-bot-token.yml", "missing bot_token or bot_token_file on telegram_config"),
    (
        "conf.telegram-valid-receiver-both-bot-token-and-file.yml",
        "at most one of telegram_bot_token & telegram_bot_token_file must be configured",
    ),
    (
        "conf.victorops-both-file-and-apikey.yml",
        "at most one of victorops_api_key & victorops_api_key_file must be configured",
    ),
    ("conf.victorops-no-apikey.yml", "no global VictorOps API Key set"),
];

#[test]
fn every_conformance_file_loads_or_is_refused_for_its_reason() {
    let Some(dir) = testkit::conformance_dir("alertmanager") else { return };
    let index = std::fs::read_to_string(dir.join("index.tsv")).expect("the index");
    let mut checked = 0;
    for line in index.lines().skip(1) {
        let mut columns = line.split('\t');
        let (name, expect) = (columns.next().expect("a name"), columns.next().expect("an expectation"));
        let source = ConfigSource::File(dir.join(name));
        let outcome = Config::load(&source, MatcherMode::Fallback).map_err(|error| report(&error));
        let reason = REFUSED.iter().find(|(refused, _)| *refused == name).map(|(_, reason)| *reason);
        match (expect, outcome) {
            ("ok", Ok(_)) => assert_eq!(reason, None, "{name}"),
            ("ok", Err(error)) => panic!("{name} must load: {error}"),
            (_, Ok(_)) => panic!("{name} must be refused"),
            (_, Err(error)) => {
                let reason = reason.unwrap_or_else(|| panic!("no reason is listed for {name}: {error}"));
                assert!(error.contains(reason), "{name}: {error}");
            }
        }
        checked += 1;
    }
    assert!(checked >= 35, "{checked}");
}

const RECEIVERS: &str = "receivers: [{name: a}, {name: b, webhook_configs: [{url: 'http://x/'}]}]\n";

#[test]
fn mistakes_are_told_in_the_original_words() {
    let check = |text: &str, want: &str| {
        let text = format!("{RECEIVERS}{text}");
        assert_eq!(load(&text).expect_err(&text), want, "{text}");
    };
    check("", "a.yml: no route provided in config");
    check("route: {receiver: c}", "a.yml: undefined receiver \"c\" used in route");
    check("route: {receiver: a, matchers: [x=y]}", "a.yml: root route must not have any matchers");
    check("route: {group_wait: 1x}", "a.yml:2:21: route.group_wait: not a valid duration string: \"1x\"");
    check(
        "route: {receiver: a, routes: [{mute_time_intervals: [x]}]}",
        "a.yml: undefined time interval \"x\" used in route",
    );
    check(
        "route: {receiver: a}\ntime_intervals: [{name: x}, {name: x}]",
        "a.yml: time interval \"x\" is not unique",
    );
    check("route: {receiver: a}\ntime_intervals: [{}]", "a.yml: missing name in time interval");
    check(
        "route: {receiver: a}\ninhibit_rules: [{source_match: {1a: b}}]",
        "a.yml: invalid label name \"1a\"",
    );
    check(
        "route: {receiver: a}\ntemplates: [no-such-*.tmpl]\nglobal: {slack_api_url: 'ftp://x'}",
        "a.yml: global: unsupported scheme \"ftp\" for URL",
    );
    assert_eq!(
        load("receivers: [{name: a}, {name: a}]\nroute: {receiver: a}").expect_err("twice"),
        "a.yml: notification config name \"a\" is not unique"
    );
    assert_eq!(
        load("receivers:\n- name: a\n  webhook_configs:\n  - max_alerts: 1\nroute: {receiver: a}")
            .expect_err("no url"),
        "a.yml: receiver \"a\": webhook_configs: one of url or url_file must be configured"
    );
    let error = load("receivers:\n- name: a\n  webhook_configs:\n  - urls: x\nroute: {receiver: a}")
        .expect_err("a typo");
    assert!(error.starts_with("a.yml:4:5: receivers[0].webhook_configs[0]: unknown field `urls`"), "{error}");
}

#[test]
fn what_cannot_be_delivered_is_named() {
    let config = load(
        "global: {slack_api_url: 'https://hooks.slack.com/x'}\nroute: {receiver: x}\n\
         receivers: [{name: x, slack_configs: [{channel: '#a'}, {channel: '#b'}], webhook_configs: [{url: 'http://x'}]}]\n\
         tracing: {endpoint: 'localhost:4317'}\nmute_time_intervals: [{name: n, time_intervals: []}]\n",
    )
    .expect("valid");
    assert_eq!(
        warnings(&config),
        [
            "tracing: not supported yet: the section is accepted and has no effect",
            "mute_time_intervals: deprecated: name the section `time_intervals`",
            "receivers: not supported yet: slack_configs of receiver \"x\"",
        ]
    );
}

#[test]
fn secrets_are_not_shown() {
    let config = load(
        "global: {slack_api_url: 'https://hooks.slack.com/hidden1', smtp_auth_password: hidden2}\n\
         route: {receiver: x}\n\
         receivers: [{name: x, webhook_configs: [{url: 'http://hidden3/', http_config: {basic_auth: {username: u, password: hidden4}}}]}]\n",
    )
    .expect("valid");
    assert!(!config.shown.contains("hidden"), "{}", config.shown);
    assert!(config.shown.contains("slack_api_url: <secret>"), "{}", config.shown);
    assert!(!format!("{config:?}").contains("hidden"));
}

#[test]
fn templates_are_read_and_checked() {
    let dir = tempfile::tempdir().expect("a folder");
    let load = || {
        let text = "route: {receiver: a}\nreceivers: [{name: a}]\ntemplates: ['*.tmpl']\n";
        std::fs::write(dir.path().join("alertmanager.yml"), text).expect("written");
        Config::load(&ConfigSource::File(dir.path().join("alertmanager.yml")), MatcherMode::Fallback)
            .map_err(|error| report(&error))
    };
    std::fs::write(dir.path().join("a.tmpl"), "{{ define \"x\" }}{{ .Status | toUpper }}{{ end }}")
        .expect("written");
    load().expect("valid");
    std::fs::write(dir.path().join("b.tmpl"), "{{ define \"y\" }}").expect("written");
    let error = load().expect_err("no end");
    assert!(error.contains("b.tmpl` is no template"), "{error}");
}
