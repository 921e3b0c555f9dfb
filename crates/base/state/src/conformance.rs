//! What every store must do; each implementation's tests run it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    ApplyError, Batch, Collection, CollectionError, MAX_KEY_BYTES, MAX_VALUE_BYTES, MemoryStore, StateError,
    StateStore, Versioned,
};

/// Runs all checks, each on a new store.
pub fn run(new_store: &dyn Fn() -> Arc<dyn StateStore>) {
    keys_and_values(&*new_store());
    trees_do_not_mix(&*new_store());
    batches_are_whole(&*new_store());
    limits_hold(&*new_store());
    versions_grow(new_store());
    concurrent_writers_lose_nothing(&new_store());
    broken_records_do_not_hide_others(new_store());
}

fn keys_and_values(store: &dyn StateStore) {
    assert_eq!(store.get("a", b"k").unwrap(), None);
    store.put("a", b"k", b"1").unwrap();
    store.put("a", b"k", b"2").unwrap();
    assert_eq!(store.get("a", b"k").unwrap().as_deref(), Some(b"2".as_slice()));
    store.put("a", b"", b"empty key").unwrap();
    store.put("a", &[0xff, 0xff], b"").unwrap();
    let keys = |prefix: &[u8]| -> Vec<Vec<u8>> {
        store.scan("a", prefix).unwrap().into_iter().map(|(key, _)| key.to_vec()).collect()
    };
    assert_eq!(keys(b""), [b"".to_vec(), b"k".to_vec(), vec![0xff, 0xff]]);
    assert_eq!(keys(&[0xff]), [vec![0xff, 0xff]]);
    store.delete("a", b"k").unwrap();
    store.delete("a", b"never there").unwrap();
    assert_eq!(keys(b"k"), Vec::<Vec<u8>>::new());
    store.flush().unwrap();
}

fn trees_do_not_mix(store: &dyn StateStore) {
    assert!(store.trees().unwrap().is_empty());
    for tree in ["b", "a", "ab", "a-very-long-name-0"] {
        store.put(tree, b"b", tree.as_bytes()).unwrap();
        store.put(tree, &[0xff; MAX_KEY_BYTES], b"last").unwrap();
    }
    assert_eq!(store.trees().unwrap(), ["a", "a-very-long-name-0", "ab", "b"]);
    assert_eq!(store.scan("a", b"b").unwrap().len(), 1);
    assert_eq!(store.get("ab", b"b").unwrap().as_deref(), Some(b"ab".as_slice()));
    store.delete("ab", b"b").unwrap();
    store.delete("ab", &[0xff; MAX_KEY_BYTES]).unwrap();
    assert_eq!(store.trees().unwrap(), ["a", "a-very-long-name-0", "b"]);
}

fn batches_are_whole(store: &dyn StateStore) {
    store.put("a", b"k", b"old").unwrap();
    let mut batch = Batch::new();
    batch.require("a", b"k", Some(b"other"));
    batch.put("a", b"k", b"new");
    batch.put("b", b"k", b"new");
    let error = store.apply(batch.clone()).unwrap_err();
    assert!(matches!(&error, ApplyError::Conflict { tree, key } if tree == "a" && key == "k"), "{error}");
    assert_eq!(store.get("b", b"k").unwrap(), None);
    batch.required.clear();
    batch.require("a", b"k", Some(b"old"));
    batch.require("b", b"k", None);
    batch.delete("b", b"k");
    batch.put("b", b"k", b"the last change counts");
    store.apply(batch).unwrap();
    assert_eq!(store.get("a", b"k").unwrap().as_deref(), Some(b"new".as_slice()));
    assert_eq!(store.get("b", b"k").unwrap().as_deref(), Some(b"the last change counts".as_slice()));
}

fn limits_hold(store: &dyn StateStore) {
    for name in ["", "A", "a b", "a\0", &"a".repeat(65)] {
        assert!(matches!(store.put(name, b"k", b""), Err(StateError::TreeName(_))), "{name}");
        assert!(matches!(store.get(name, b"k"), Err(StateError::TreeName(_))), "{name}");
    }
    let long = vec![b'k'; MAX_KEY_BYTES + 1];
    assert!(matches!(store.put("a", &long, b""), Err(StateError::KeyTooLarge { .. })));
    let large = vec![0; MAX_VALUE_BYTES + 1];
    assert!(matches!(store.put("a", b"k", &large), Err(StateError::ValueTooLarge { .. })));
    store.put("a", &long[1..], b"fits").unwrap();
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Person {
    name: String,
}

fn person(name: &str) -> Person {
    Person { name: name.into() }
}

fn versions_grow(store: Arc<dyn StateStore>) {
    let people = Collection::<Person>::new(store, "people");
    assert_eq!(people.insert("1", &person("Ada")).unwrap(), 1);
    assert!(matches!(people.insert("1", &person("Bob")), Err(CollectionError::Conflict { .. })));
    assert_eq!(people.update("1", 1, &person("Ada L")).unwrap(), 2);
    assert!(matches!(people.update("1", 1, &person("late")), Err(CollectionError::Conflict { .. })));
    assert!(matches!(people.update("2", 1, &person("nobody")), Err(CollectionError::Conflict { .. })));
    assert_eq!(people.put("1", &person("Ada")).unwrap(), 3);
    assert_eq!(people.get("1").unwrap(), Some(Versioned { version: 3, value: person("Ada") }));
    assert!(people.delete("1").unwrap());
    assert!(!people.delete("1").unwrap());
    assert_eq!(people.put("1", &person("Eve")).unwrap(), 1);
}

fn concurrent_writers_lose_nothing(store: &Arc<dyn StateStore>) {
    let counters = Collection::<u64>::new(store.clone(), "counters");
    counters.insert("n", &0).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut left = 25;
                while left > 0 {
                    let now = counters.get("n").unwrap().expect("there");
                    match counters.update("n", now.version, &(now.value + 1)) {
                        Ok(_) => left -= 1,
                        Err(CollectionError::Conflict { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    assert_eq!(counters.get("n").unwrap(), Some(Versioned { version: 101, value: 100 }));
}

fn broken_records_do_not_hide_others(store: Arc<dyn StateStore>) {
    let people = Collection::<Person>::new(store.clone(), "people");
    people.insert("1", &person("Ada")).unwrap();
    store.put("people", b"2", b"not json").unwrap();
    people.insert("3", &person("Bob")).unwrap();
    let keys: Vec<_> = people.list("").unwrap().into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["1", "3"]);
    assert!(matches!(people.get("2"), Err(CollectionError::Decode { .. })));
    assert_eq!(people.put("2", &person("Eve")).unwrap(), 1);
}

#[test]
fn memory_store_conforms() {
    run(&|| Arc::new(MemoryStore::new()));
}
