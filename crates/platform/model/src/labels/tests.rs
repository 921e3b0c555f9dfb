use proptest::prelude::*;

use super::*;

fn labels(pairs: &[(&str, &str)]) -> Labels {
    Labels::from_pairs(pairs.iter().copied())
}

#[test]
fn pairs_are_sorted_unique_and_not_empty() {
    let set = labels(&[("b", "2"), ("a", "1"), ("c", ""), ("b", "3")]);
    assert_eq!(set.iter().collect::<Vec<_>>(), [("a", "1"), ("b", "3")]);
    assert_eq!(set.get("b"), Some("3"));
    assert_eq!(set.get("c"), None);
    assert_eq!(set.value("c"), "");
    assert_eq!(set.len(), 2);
}

#[test]
fn sizes_of_every_class_read_back() {
    for size in [0, 1, 127, 128, 0x7ff, 0x800, 0xd7ff, 0xd800, 0xffff, 0x10000, 0x12345] {
        let value = "x".repeat(size);
        let set = labels(&[("name", &value), ("zz", "end")]);
        assert_eq!(set.value("name"), value, "{size}");
        assert_eq!(set.value("zz"), "end", "{size}");
    }
}

#[test]
fn short_pairs_are_taken_as_they_lie() {
    let check = |bytes: &[u8], count: usize, want: Option<&[(&str, &str)]>| {
        let read = Labels::from_short_pairs(bytes, count);
        assert_eq!(read.as_ref().map(|(set, _)| set.clone()), want.map(labels), "{bytes:?}");
        if let (Some((_, size)), Some(want)) = (read, want) {
            assert_eq!(size, want.iter().map(|(name, value)| name.len() + value.len() + 2).sum::<usize>());
        }
    };
    check(b"\x01a\x011\x02bb\x02\xc3\xa4rest", 2, Some(&[("a", "1"), ("bb", "ä")]));
    check(b"rest", 0, Some(&[]));
    // Out of order, twice, without value, too short, cut within a character.
    check(b"\x01b\x011\x01a\x011", 2, None);
    check(b"\x01a\x011\x01a\x011", 2, None);
    check(b"\x01a\x00", 1, None);
    check(b"\x01a\x021", 1, None);
    check(b"\x01a\x011", 2, None);
    check(b"\x01a\x01\xc3\x01\xa4\x011", 2, None);
    let long = [b"\x01a\x80\x01".as_slice(), &[b'x'; 128]].concat();
    check(&long, 1, None);
}

#[test]
fn order_is_by_pair() {
    let sorted = [
        labels(&[]),
        labels(&[("a", "1")]),
        labels(&[("a", "1"), ("b", "1")]),
        labels(&[("a", "10")]),
        labels(&[("a", "2")]),
        labels(&[("b", "1")]),
    ];
    for pair in sorted.windows(2) {
        assert!(pair[0] < pair[1], "{} < {}", pair[0], pair[1]);
    }
}

#[test]
fn prints_and_serialises_as_prometheus_does() {
    let set = labels(&[("__name__", "up"), ("job", "a\"b"), ("http.x", "1")]);
    assert_eq!(set.to_string(), r#"{__name__="up", "http.x"="1", job="a\"b"}"#);
    assert_eq!(serde_json::to_string(&set).expect("json"), r#"{"__name__":"up","http.x":"1","job":"a\"b"}"#);
}

#[test]
fn fingerprint_of_the_empty_set_is_the_offset_basis() {
    assert_eq!(Labels::empty().fingerprint(), 0xcbf2_9ce4_8422_2325);
    assert_ne!(labels(&[("a", "bc")]).fingerprint(), labels(&[("ab", "c")]).fingerprint());
}

#[test]
fn metric_name_can_be_dropped() {
    let set = labels(&[("__name__", "up"), ("job", "x")]);
    assert_eq!(set.metric_name(), "up");
    assert_eq!(set.without_metric_name(), labels(&[("job", "x")]));
}

proptest! {
    #[test]
    fn order_is_that_of_pairs(
        same in prop::collection::vec(("[a-c]{1,3}", "[x-z]{1,200}"), 0..4),
        one in prop::collection::vec(("[a-e]{0,3}", ".{0,140}"), 0..4),
        other in prop::collection::vec(("[a-e]{0,3}", ".{0,140}"), 0..4),
    ) {
        let set = |own: &[(String, String)]| Labels::from_pairs(same.iter().chain(own).map(|(n, v)| (n, v)));
        let (one, other) = (set(&one), set(&other));
        prop_assert_eq!(one.cmp(&other), one.iter().cmp(other.iter()));
        prop_assert_eq!(one.cmp(&one.clone()), std::cmp::Ordering::Equal);
    }

    #[test]
    fn one_label_is_set_as_by_a_builder(
        pairs in prop::collection::vec(("[a-h]{1,2}", ".{0,140}"), 0..12), name in "[a-h]{1,2}", value in "[xy]{0,2}",
    ) {
        let set = Labels::from_pairs(pairs.iter().map(|(n, v)| (n, v)));
        let mut builder = set.to_builder();
        builder.set(&name, &value);
        prop_assert_eq!(set.with(&name, &value), builder.build());
    }

    #[test]
    fn filtered_pairs_are_those_kept(pairs in prop::collection::vec(("[a-h]{1,2}", ".{0,140}"), 0..12), kept in any::<[bool; 8]>()) {
        let set = Labels::from_pairs(pairs.iter().map(|(n, v)| (n, v)));
        let keep = |name: &str| kept[usize::from(name.as_bytes()[0] - b'a')];
        prop_assert_eq!(set.filter(keep), Labels::from_pairs(set.iter().filter(|(name, _)| keep(name))));
    }

    #[test]
    fn behaves_as_a_sorted_map(pairs in prop::collection::vec((".{0,12}", ".{0,300}"), 0..12)) {
        let mut map = std::collections::BTreeMap::new();
        for (name, value) in &pairs {
            if value.is_empty() { map.remove(name); } else { map.insert(name.clone(), value.clone()); }
        }
        let set = Labels::from_pairs(pairs.iter().map(|(n, v)| (n, v)));
        let read: Vec<_> = set.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        let want: Vec<_> = map.into_iter().collect();
        prop_assert_eq!(&read, &want);
        prop_assert_eq!(set.to_builder().build(), set.clone());
        for (name, value) in &want {
            prop_assert_eq!(set.get(name), Some(value.as_str()));
        }
    }
}
