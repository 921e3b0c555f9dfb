//! The ready-made sets, against answers known from the programs that have these functions.

use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;

use super::prometheus::{Host, Sample};
use super::{Clock, Function, Functions, alertmanager, loki, prometheus, promtail, sha3, sprig};
use crate::exec::{Execution, Limits, MissingKey};
use crate::template::Template;
use crate::value::Value;

fn clock() -> Clock {
    Clock::fixed(Timestamp::from_second(1_700_000_000).unwrap())
}

fn run(
    functions: &Functions,
    text: &str,
    data: &Value,
    bindings: &[(&str, Function)],
) -> Result<String, String> {
    let template = Template::parse("test", text, functions).map_err(|error| error.to_string())?;
    let execution = Execution { missing_key: MissingKey::Zero, bindings, ..Execution::default() };
    template.execute(data, &execution).map_err(|error| error.to_string())
}

fn check(functions: &Functions, data: &Value, cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(run(functions, text, data, &[]).as_deref(), Ok(*expected), "{text}");
    }
}

fn sample(labels: &[(&str, &str)], value: f64) -> Sample {
    let labels = labels.iter().map(|(name, value)| (Arc::from(*name), Arc::from(*value)));
    Sample::new(labels, Value::Float(value))
}

#[test]
fn prometheus_numbers() {
    let functions = prometheus::functions();
    let humanized = |name: &str, values: &[f64]| {
        let data = Value::list(values.iter().copied().map(Value::Float));
        run(&functions, &format!("{{{{range .}}}}{{{{{name} .}}}}:{{{{end}}}}"), &data, &[]).unwrap()
    };
    assert_eq!(
        humanized("humanize", &[0.0, 1.0, 1_234_567.0, 0.12, -1.0, 1e-27]),
        "0:1:1.235M:120m:-1:0.001y:"
    );
    assert_eq!(
        humanized("humanize1024", &[0.0, 1.0, 1_048_576.0, 0.12, 1_234_567.0, 9.3e18]),
        "0:1:1Mi:0.12:1.177Mi:8.066Ei:"
    );
    let days = -(86400.0 * 2.0 + 3600.0 * 3.0 + 60.0 * 4.0 + 5.0);
    let durations =
        [0.0, 1.0, 60.0, 3600.0, 86400.0, 90000.0, days, 899.99, 0.1, 0.0001, 0.12345, 60.5, 1.2345, 12.345];
    assert_eq!(
        humanized("humanizeDuration", &durations),
        "0s:1s:1m 0s:1h 0m 0s:1d 0h 0m 0s:1d 1h 0m 0s:-2d 3h 4m 5s:14m 59s:100ms:100us:123.5ms:1m 0s:1.234s:12.35s:"
    );
    assert_eq!(
        humanized("humanizePercentage", &[-0.22222, 0.0, 0.1234567, 1.23456, 12345.67]),
        "-22.22%:0%:12.35%:123.5%:1.235e+06%:"
    );
    assert_eq!(
        humanized("humanizeTimestamp", &[0.0, -1.0, 1_435_065_584.128, 9_223_372_036.0]),
        "1970-01-01 00:00:00 +0000 UTC:1969-12-31 23:59:59 +0000 UTC:2015-06-23 13:19:44.128 +0000 UTC:2262-04-11 23:47:16 +0000 UTC:"
    );
    let odd = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
    for name in ["humanize", "humanize1024", "humanizeDuration", "humanizeTimestamp"] {
        assert_eq!(humanized(name, &odd), "+Inf:-Inf:NaN:", "{name}");
    }
    check(
        &functions,
        &Value::Nil,
        &[
            ("{{humanize \"1234567.0\"}} {{humanize 1234567}}", "1.235M 1.235M"),
            ("{{(1435065584.128 | toTime).Format \"2006\"}}", "2015"),
            ("{{(1800 | toDuration).String}} {{1.5 | toDuration}}", "30m0s 1.5s"),
            ("{{printf \"%0.2f\" (parseDuration \"1h2m10ms\")}} {{parseDuration \"-1d\"}}", "3720.01 -86400"),
            ("{{humanizeDuration (toDuration 90)}}", "1m 30s"),
        ],
    );
}

#[test]
fn prometheus_strings() {
    check(
        &prometheus::functions(),
        &Value::strings([("b".into(), "x".into())]),
        &[
            (
                "{{\"aa bb CC don't\" | title}} {{toUpper \"aBß\"}} {{toLower \"aB\"}}",
                "Aa Bb CC Don't ABß ab",
            ),
            ("{{match \"a+\" \"aa\"}} {{match \"a+\" \"b\"}}", "true false"),
            ("{{reReplaceAll \"(a)b\" \"x$1\" \"ab\"}}", "xa"),
            (
                "{{stripPort \"foo.example.com:12345\"}} {{stripPort \"foo\"}} {{stripPort \"2001:0DB8::1\"}}",
                "foo.example.com foo 2001:0DB8::1",
            ),
            (
                "{{stripPort \"[2001:0DB8::1]:12345\"}} {{stripPort \"[2001:0DB8::1]::12345\"}}",
                "2001:0DB8::1 [2001:0DB8::1]::12345",
            ),
            (
                "{{stripDomain \"foo.example.com\"}} {{stripDomain \"foo.example.com:12345\"}} {{stripDomain \"192.0.2.1:1\"}}",
                "foo foo:12345 192.0.2.1:1",
            ),
            (
                "{{stripDomain \"[2001:0DB8::1]:12345\"}} {{stripDomain \"[2001:0DB8::1]::12345\"}}",
                "[2001:0DB8::1]:12345 [2001:0DB8::1]::12345",
            ),
            (
                "{{graphLink \"up == 1\"}} {{tableLink \"up\"}}",
                "/graph?g0.expr=up+%3D%3D+1&g0.tab=0 /graph?g0.expr=up&g0.tab=1",
            ),
            ("{{urlQueryEscape \"a/b c\"}} {{\"<b>\" | safeHtml}}", "a%2Fb+c <b>"),
            (
                "{{define \"x\"}}{{.arg0}} {{.arg1}}{{end}}{{template \"x\" (args 1 \"2\")}} {{tmpl \"x\" (args 3 4)}}",
                "1 2 3 4",
            ),
        ],
    );
}

#[test]
fn prometheus_queries() {
    let host = Host {
        now: 1_353_755_652.0,
        external_url: "http://testhost:9090/path/prefix".into(),
        path_prefix: "/path/prefix".into(),
        query: Arc::new(|expression| match expression {
            "metric" => Ok(vec![
                sample(&[("instance", "b"), ("__value__", "v")], 21.0),
                sample(&[("instance", "a")], 11.0),
            ]),
            "none" => Ok(Vec::new()),
            _ => Err("bad expression".into()),
        }),
    };
    let bindings = host.bindings();
    let run = |text: &str| run(&prometheus::functions(), text, &Value::Nil, &bindings);
    let cases = [
        ("{{query \"metric\" | first | value}}", "21"),
        (
            "{{query \"metric\" | first | label \"instance\"}}{{query \"metric\" | first | label \"nope\"}}",
            "b",
        ),
        ("{{query \"metric\" | first | strvalue}}", "v"),
        (
            "{{range query \"metric\" | sortByLabel \"instance\"}}{{.Labels.instance}}:{{.Value}}: {{end}}",
            "a:11: b:21: ",
        ),
        ("{{with query \"none\"}}x{{else}}nothing{{end}}", "nothing"),
        ("{{$x := query \"metric\" | first}}[{{$x.Labels.foo}}]", "[]"),
        (
            "{{now}} {{externalURL}} {{pathPrefix}}",
            "1.353755652e+09 http://testhost:9090/path/prefix /path/prefix",
        ),
        ("{{(now | toTime).Format \"Mon Jan 2 15:04:05 2006\"}}", "Sat Nov 24 11:14:12 2012"),
        ("{{(\"-30m\" | parseDuration | toDuration | (now | toTime).Add).UnixMilli}}", "1353753852000"),
        (
            "{{(now | toTime).Year}} {{(now | toTime).Month}} {{eq (now | toTime).Month 11}} {{printf \"%d\" (now | toTime).Weekday}}",
            "2012 November true 6",
        ),
        (
            "{{((now | toTime).AddDate 0 1 0).Format \"2006-01-02\"}} {{((now | toTime).Truncate 3600000000000).Unix}}",
            "2012-12-24 1353754800",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(run(text).as_deref(), Ok(expected), "{text}");
    }
    let errors = [
        (
            "{{ query \"none\" | first }}",
            "template: test:1:18: executing \"test\" at <first>: error calling first: first() called on vector with no elements",
        ),
        (
            "{{ query \"bad\" }}",
            "template: test:1:3: executing \"test\" at <query \"bad\">: error calling query: bad expression",
        ),
        (
            "{{ humanize \"one\" }}",
            "template: test:1:3: executing \"test\" at <humanize \"one\">: error calling humanize: strconv.ParseFloat: parsing \"one\": invalid syntax",
        ),
        (
            "{{ \"one\" | humanizePercentage }}",
            "template: test:1:11: executing \"test\" at <humanizePercentage>: error calling humanizePercentage: strconv.ParseFloat: parsing \"one\": invalid syntax",
        ),
        (
            "{{ humanizeTimestamp 9223372036854775807 }}",
            "template: test:1:3: executing \"test\" at <humanizeTimestamp 9223372036854775807>: error calling humanizeTimestamp: 9.223372036854776e+18 cannot be represented as a nanoseconds timestamp since it overflows int64",
        ),
        (
            "{{ parseDuration \"1x\" }}",
            "template: test:1:3: executing \"test\" at <parseDuration \"1x\">: error calling parseDuration: not a valid duration string: \"1x\"",
        ),
        (
            "{{ reReplaceAll \"(\" \"\" \"\" }}",
            "template: test:1:3: executing \"test\" at <reReplaceAll \"(\" \"\" \"\">: error calling reReplaceAll: regexp: Compile(`(`): error parsing regexp: missing closing ): `(`",
        ),
    ];
    for (text, expected) in errors {
        assert_eq!(run(text), Err(expected.to_owned()), "{text}");
    }
}

#[test]
fn alertmanager_functions() {
    let data = Value::map([
        ("t".into(), crate::gotime::Time::utc(Timestamp::from_second(1_699_999_910).unwrap()).into()),
        ("kv".into(), Value::strings([("b".into(), "<2>".into()), ("a".into(), "1".into())])),
    ]);
    check(
        &alertmanager::functions(&clock()),
        &data,
        &[
            (
                "{{title \"aa bB CC\"}} {{trimSpace \" x \"}} {{join \",\" (stringSlice \"a\" \"b\")}}",
                "Aa Bb Cc x a,b",
            ),
            (
                "{{date \"2006-01-02 15:04\" .t}} {{tz \"Europe/Paris\" .t | date \"15:04 MST\"}}",
                "2023-11-14 22:11 23:11 CET",
            ),
            ("{{since .t}} {{since .t | humanizeDuration}} {{now.Unix}}", "1m30s 1m 30s 1700000000"),
            (
                "{{toJson .kv}} {{toJson (list 1 \"a\" nil 1.5 true)}}",
                "{\"a\":\"1\",\"b\":\"\\u003c2\\u003e\"} [1,\"a\",null,1.5,true]",
            ),
            ("{{(dict \"a\" 1).a}} {{append (list 1) 2 3}} {{len (list)}}", "1 [1 2 3] 0"),
            ("{{base64encode \"a?>b\"}} {{base64decode \"YT8-Yg==\"}}", "YT8-Yg== a?>b"),
            ("{{urlUnescape \"a+b%20c\"}} {{safeUrl \"x:y\"}} {{routeLabels \"x\"}}", "a b c x:y "),
            ("{{toDate \"2006\" \"bad\"}}", "0001-01-01 00:00:00 +0000 UTC"),
            ("{{reReplaceAll \"(.*):.*\" \"$1\" \"host:9090\"}} {{match \"^a\" \"ba\"}}", "host false"),
        ],
    );
}

#[test]
fn loki_functions() {
    let strings = |entries: &[(&str, &str)]| {
        Value::strings(entries.iter().map(|(key, value)| (Arc::from(*key), Arc::from(*value))))
    };
    let data = strings(&[
        ("foo", "BLIp"),
        ("bar", "blop"),
        ("n", "20"),
        ("f", "5.3"),
        ("size", "3 kB"),
        ("took", "3m10s"),
        ("ts", "1679577215"),
    ]);
    check(
        &loki::functions(&clock()),
        &data,
        &[
            ("{{.missing}}|{{.missing | default \"-\"}}", "|-"),
            ("{{.foo | lower}} {{.bar | upper}} {{.bar | title}} {{.foo | ToLower}}", "blip BLOP Blop blip"),
            (
                "{{Replace .bar \"blop\" \"bar\" -1}} {{.bar | replace \"o\" \"0\"}} {{Replace \"aaa\" \"a\" \"b\" 2}} {{Replace \"ab\" \"\" \"-\" -1}}",
                "bar bl0p bba -a-b-",
            ),
            (
                "{{.bar | substr 1 3}} {{.bar | trunc 1}} {{.bar | trunc -2}} {{substr 2 -1 .bar}}",
                "lo b op op",
            ),
            (
                "{{\"  x \" | trim}} {{.bar | trimAll \"bp\"}} {{.bar | trimPrefix \"b\"}} {{.bar | trimSuffix \"p\"}}",
                "x lo lop blo",
            ),
            (
                "{{\"foo\" | repeat 3}} {{\"foo\\n bar\" | indent 4}}{{\"foo\" | nindent 2}}",
                "foofoofoo     foo\n     bar\n  foo",
            ),
            (
                "{{.foo | contains \"p\"}} {{.foo | hasPrefix \"BL\"}} {{.foo | hasSuffix \"pw\"}}",
                "true true false",
            ),
            (
                "{{regexReplaceAll \"(p)\" .foo \"t$1\"}} {{regexReplaceAllLiteral \"(p)\" .foo \"${1}\"}} {{\"abc abc\" | count \"a|b|c\"}}",
                "BLItp BLI${1} 6",
            ),
            ("{{add .n 1 | sub 30 | mul 2 | div 100}} {{mod .n 3}} {{div 7 2}}", "5 2 3"),
            (
                "{{addf \"1.5\" 1.5 | subf \"5\" 1.5 | mulf \"10.5\" | divf \"20.2\"}} {{addf 0.1 0.2}} {{mulf 1.5 2}}",
                "3.8476190476190477 0.3 3",
            ),
            (
                "{{round (addf \"1.5\" 1.5 | subf \"3.5\" | mulf \"10.5\" | divf \"20.4\") 5 .2}} {{round 1.2345 2}}",
                "3.88572 1.23",
            ),
            (
                "{{max 1 4 2}} {{min 1 4 2}} {{maxf .f 10.5}} {{minf .f 10.5}} {{ceil .f}} {{floor .f}}",
                "4 1 10.5 5.3 6 5",
            ),
            (
                "{{\"2.5\" | float64 | int | add 10}} {{int \"0x10\"}} {{int \"7.00\"}} {{int \"x\"}}",
                "12 16 7 0",
            ),
            (
                "{{sub (unixEpoch (toDate \"2006-01-02\" \"2021-11-02\")) (unixEpoch (toDate \"2006-01-02\" \"2021-11-01\"))}}",
                "86400",
            ),
            (
                "{{date \"2006-01-02\" (toDate \"2006-01-02\" \"2021-11-02\")}} {{unixEpoch now | len}}",
                "2021-11-02 10",
            ),
            (
                "{{.size | bytes}} {{\"3MB\" | bytes}} {{\"1.5KiB\" | bytes}} {{\"10\" | bytes}}",
                "3000 3e+06 1536 10",
            ),
            ("{{.took | duration}} {{\"3ms\" | duration_seconds}}", "190 0.003"),
            (
                "{{\"2023-03-10T01:32:40.340485723Z\" | toDateInZone \"2006-01-02T15:04:05.999999999Z\" \"UTC\" | unixEpochMillis}}",
                "1678411960340",
            ),
            (
                "{{\"2023-03-10T01:32:40.340485723Z\" | toDateInZone \"2006-01-02T15:04:05.999999999Z\" \"UTC\" | unixEpochNanos}}",
                "1678411960340485723",
            ),
            (
                "{{unixToTime .ts | date \"2006-01-02\"}} {{(unixToTime \"19503\").Unix}} {{(unixToTime \"1257894000000\").Unix}}",
                "2023-03-23 1685059200 1257894000",
            ),
            (
                "{{(unixToTime \"1673798889902000\").UnixMilli}} {{(unixToTime \"1000000000000000000\").Unix}}",
                "1673798889902 1000000000",
            ),
            ("{{.foo | b64enc}} {{\"Zm9vYmE\" | b64dec}} {{\"Zm9vYg\" | b64dec}}", "QkxJcA== fooba foob"),
            (
                "{{alignLeft 3 .foo}}|{{alignRight 3 .foo}}|{{alignLeft 6 .foo}}|{{alignRight 6 .foo}}",
                "BLI|LIp|BLIp  |  BLIp",
            ),
            ("{{urlencode \"a=b c\"}} {{urldecode \"a%3Db+c\"}} {{`a b` | len}}", "a%3Db+c a=b c 3"),
            ("{{range $i, $e := fromJson `{\"b\":1,\"a\":[1,\"x\"]}`}}{{$i}}={{$e}},{{end}}", "a=[1 x],b=1,"),
        ],
    );
    let error = |text: &str| run(&loki::functions(&clock()), text, &data, &[]).unwrap_err();
    assert_eq!(error("{{ .foo | sha1sum }}"), "template: test:1: function \"sha1sum\" not defined");
    assert_eq!(
        error("{{.foo Replace \"foo\"}}"),
        "template: test:1:2: executing \"test\" at <.foo>: foo is not a method but has arguments"
    );
    assert_eq!(
        error("{{.foo | now}}"),
        "template: test:1:9: executing \"test\" at <now>: wrong number of args for now: want 0 got 1"
    );
    assert_eq!(
        error("{{replace \"test\" .foo}}"),
        "template: test:1:2: executing \"test\" at <replace>: wrong number of args for replace: want 3 got 2"
    );
    assert_eq!(
        error("{{div 1 0}}"),
        "template: test:1:2: executing \"test\" at <div 1 0>: error calling div: runtime error: integer divide by zero"
    );
}

#[test]
fn promtail_and_sprig_functions() {
    let functions = promtail::functions(&clock());
    let data = Value::map([
        ("e".into(), "hello big world".into()),
        ("json".into(), r#"{"user":{"name":"anna"},"tags":["x","y"],"n":1.5}"#.into()),
    ]);
    check(
        &functions,
        &data,
        &[
            (
                "{{.e | title}}|{{.e | nospace}}|{{.e | quote}}|{{.e | snakecase}}|{{.e | initials}}|{{abbrev 6 .e}}",
                "Hello Big World|hellobigworld|\"hello big world\"|hello_big_world|hbw|hel...",
            ),
            (
                "{{snakecase \"FirstHTTPName\"}} {{kebabcase \"fooBar\"}} {{camelcase \"foo_bar\"}} {{swapcase \"aB\"}} {{untitle \"Foo\"}}",
                "first_http_name foo-bar FooBar Ab foo",
            ),
            (
                "{{$p := splitList \",\" \"a,b,c\"}}{{first $p}}{{last $p}}{{len $p}} {{join \"-\" (reverse $p)}} {{has \"b\" $p}} {{rest $p}} {{initial $p}}",
                "ac3 c-b-a true [b c] [a b]",
            ),
            (
                "{{$p := splitList \",\" \"\"}}{{len $p}}{{first $p}}|{{index (split \"$\" \"a$b\") \"_1\"}}",
                "1|b",
            ),
            (
                "{{default \"none\" .nope}}|{{coalesce .nope \"\" \"z\"}}|{{empty .nope}}|{{ternary \"yes\" \"no\" (eq .nope \"1\")}}",
                "none|z|true|no",
            ),
            (
                "{{b64enc \"a b&\\\"<c>\\\"\"}} {{b32enc \"é\"}} {{b32dec \"YOUQ====\"}}",
                "YSBiJiI8Yz4i YOUQ==== é",
            ),
            (
                "{{sha256sum \"é\"}} {{sha1sum \"é\"}} {{adler32sum \"é\"}}",
                "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c bf15be717ac1b080b4f1c456692825891ff5073d 36766061",
            ),
            (
                "{{adler32sum \"a b&\\\"<c>\\\"\"}} {{toJson \"a b&\\\"<c>\\\"\"}}",
                "191169067 \"a b\\u0026\\\"\\u003cc\\u003e\\\"\"",
            ),
            (
                "{{toDate \"2006-01-02\" \"2026-01-15\" | date \"02/01/2006 Mon\"}}|{{(toDate \"2006-01-02\" \"2026-01-15\").Unix}}|{{duration \"3725\"}}",
                "15/01/2026 Thu|1768435200|1h2m5s",
            ),
            (
                "{{toDate \"2006-01-02\" \"bad\" | date \"02/01/2006 Mon\"}}|{{(toDate \"2006-01-02\" \"bad\").Unix}}",
                "01/01/0001 Mon|-62135596800",
            ),
            (
                "{{$d := fromJson .json}}{{$d.user.name}}/{{index $d.tags 1}}/{{$d.n}}/{{get (dict \"k\" \"v\") \"k\"}}",
                "anna/y/1.5/v",
            ),
            (
                "{{regexMatch \"^a\" \"abac\"}}|{{regexFind \"b.\" \"abac\"}}|{{regexFindAll \"[ab]\" \"abac\" 2}}|{{regexSplit \"b\" \"abac\" -1}}|{{regexMatch \"(\" \"\"}}",
                "true|ba|[a b]|[a ac]|false",
            ),
            (
                "{{divf \"12345678\" 1e6}} {{divf \"900000000\" 1e6}} {{until 3}} {{untilStep 5 0 -2}}",
                "12.345678 900 [0 1 2] [5 3 1]",
            ),
            (
                "{{Hash \"salt\" \"x\" | len}} {{Sha2Hash \"a\" \"bc\"}}",
                "64 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            (
                "{{uniq (list 1 1 2)}} {{without (list 1 2 3) 2}} {{concat (list 1) (list 2)}} {{compact (list 1 0 2)}} {{sortAlpha (list \"b\" \"a\")}}",
                "[1 2] [1 3] [1 2] [1 2] [a b]",
            ),
            (
                "{{keys (dict \"b\" 1 \"a\" 2)}} {{pick (dict \"b\" 1 \"a\" 2) \"a\"}} {{omit (dict \"b\" 1 \"a\" 2) \"a\"}} {{hasKey (dict \"a\" 1) \"a\"}}",
                "[a b] map[a:2] map[b:1] true",
            ),
            (
                "{{kindOf 1.5}} {{typeOf \"\"}} {{kindIs \"map\" (dict)}} {{plural \"one\" \"many\" 2}} {{cat 1 \"a\" nil}}",
                "float64 string true many 1 a",
            ),
            (
                "{{durationRound \"2h10m5s\"}} {{ago (toDate \"2006-01-02 15:04:05\" \"2023-11-14 22:13:10\")}} {{dateModify \"-1h\" now | date \"15:04\"}}",
                "2h 10s 21:13",
            ),
            ("{{toPrettyJson (dict \"a\" (list 1 2))}}", "{\n  \"a\": [\n    1,\n    2\n  ]\n}"),
            (
                "{{toRawJson \"<a>\"}} {{toJson 1e21}} {{toJson 1e-7}} {{toJson 0.1}}",
                "\"<a>\" 1e+21 1e-7 0.1",
            ),
            (
                "{{Replace .e \"o\" \"0\" 1}} {{Trim \"--a--\" \"-\"}} {{TrimLeft \"--a--\" \"-\"}} {{TrimRight \"--a--\" \"-\"}} {{TrimPrefix \"--a\" \"--\"}} {{TrimSuffix \"a--\" \"--\"}}",
                "hell0 big world a a-- --a a a",
            ),
        ],
    );
    let error = run(&functions, "{{regexReplaceAll \"(unclosed\" \"aa\" \"b\"}}", &data, &[]).unwrap_err();
    assert!(error.ends_with("error parsing regexp: missing closing ): `(unclosed`"), "{error}");
}

#[test]
fn sha3_digests() {
    let cases = [
        ("", "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"),
        ("abc", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "41c0dba2a9d6240849100376a8235e2c82e1b9998a999e21db32dd97496d3376",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(sprig::hex(&sha3::sha3_256(text.as_bytes())), expected);
    }
    // One block exactly, and one byte more.
    assert_ne!(sha3::sha3_256(&[b'a'; 136]), sha3::sha3_256(&[b'a'; 137]));
}

#[test]
fn functions_stay_within_the_limits() {
    let bombs = [
        "{{repeat 1000000000 \"x\"}}",
        "{{indent 1000000000 \"x\"}}",
        "{{until 1000000000}}",
        "{{$x := repeat 900 \"a\"}}{{replace \"a\" $x $x}}",
        "{{$x := repeat 900 \"a\"}}{{regexReplaceAll \"a\" $x $x}}",
        "{{$l := list 1}}{{range 100}}{{$l = concat $l $l}}{{end}}",
        "{{$x := repeat 900 \"a\"}}{{join $x (list 1 2 3)}}",
        "{{$x := repeat 900 \"a\"}}{{toJson (list $x $x)}}",
        "{{$x := repeat 900 \"a\"}}{{urlquery $x \"/\" $x}}",
        "{{$x := repeat 900 \"a\"}}{{quote $x $x}}",
        "{{b64enc (repeat 900 \"a\")}}",
        "{{$l := list}}{{range 10000}}{{$l = list $l}}{{end}}",
        "{{$l := dict}}{{range 10000}}{{$l = dict \"a\" $l}}{{end}}",
        "{{$x := repeat 900 \"a\"}}{{range 20000}}{{$y := trim $x}}{{end}}",
    ];
    let functions = promtail::functions(&clock());
    for text in bombs {
        let template = Template::parse("bomb", text, &functions).unwrap();
        let limits = Limits { max_output_bytes: 1000, max_steps: 100_000, max_depth: 50 };
        let execution = Execution { limits, ..Execution::default() };
        let error = template.execute(&Value::Nil, &execution).expect_err(text);
        assert!(error.is_limit(), "{text}: {error}");
    }
}

/// Calls of functions with arguments of all kinds.
fn call_text() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("trunc"),
        Just("substr"),
        Just("slice"),
        Just("index"),
        Just("round"),
        Just("date"),
        Just("toDate"),
        Just("duration"),
        Just("durationRound"),
        Just("abbrev"),
        Just("repeat"),
        Just("divf"),
        Just("mulf"),
        Just("addf"),
        Just("div"),
        Just("mod"),
        Just("regexSplit"),
        Just("regexFindAll"),
        Just("splitList"),
        Just("b32dec"),
        Just("b64dec"),
        Just("fromJson"),
        Just("toJson"),
        Just("Replace"),
        Just("untilStep"),
        Just("dict"),
        Just("get"),
        Just("snakecase"),
        Just("title"),
        Just("printf"),
        Just("has"),
        Just("dateModify"),
        Just("ago"),
        Just("int"),
        Just("html"),
        Just("js"),
        Just("trimAll"),
    ];
    let argument = prop_oneof![
        Just("1"),
        Just("-1"),
        Just("3"),
        Just("9223372036854775807"),
        Just("-9223372036854775808"),
        Just("1.5"),
        Just("1e308"),
        Just("\"\""),
        Just("\"é\""),
        Just("\"a,b\""),
        Just("\"%d %s\""),
        Just("\"2006-01-02\""),
        Just("nil"),
        Just("true"),
        Just("now"),
        Just("(list 1 \"a\" nil)"),
        Just("(dict \"a\" 1)"),
        Just(".x"),
        Just("\"0.1\""),
        Just("\"[a-\""),
        Just("\"a*\""),
    ];
    (name, proptest::collection::vec(argument, 0..4))
        .prop_map(|(name, arguments)| format!("{{{{{name} {}}}}}", arguments.join(" ")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_call_panics(text in call_text()) {
        let limits = Limits { max_output_bytes: 10_000, max_steps: 10_000, max_depth: 20 };
        let template = Template::parse("call", &text, &promtail::functions(&clock()));
        if let Ok(template) = template {
            let _ = template.execute(&Value::map([]), &Execution { limits, ..Execution::default() });
        }
    }

    #[test]
    fn numbers_are_humanized_without_panics(value: f64) {
        let _ = prometheus::humanize(value) + &prometheus::humanize_1024(value) + &prometheus::humanize_duration(value) + &prometheus::humanize_percentage(value);
        let _ = prometheus::humanize_timestamp(value);
    }
}
