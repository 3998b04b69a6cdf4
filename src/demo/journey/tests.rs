//! What a message is, what an order says, and what the values of an outcome are.

use super::part::{Act, Share, message};
use super::{ROW, SUMS};
use crate::demo::{DEMOS, Demo, pipe, rpc};
use crate::fact::{Nanos, Params, Picture, Row, Tally};
use serde_json::{Value, json};

fn made(number: u64, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    message(number, &mut bytes);
    bytes
}

#[test]
fn no_message_can_be_taken_for_another() {
    for size in [8, 64, 4096] {
        let messages: std::collections::BTreeSet<_> = (0..2000).map(|number| made(number, size)).collect();
        assert_eq!(messages.len(), 2000, "{size}");
    }
    // Of one byte there are no more than 256; most of them are there.
    let bytes: std::collections::BTreeSet<_> = (0..2000).map(|number| made(number, 1)).collect();
    assert!(bytes.len() > 200);
    // One that came a word late, or twice in half, would be seen.
    let long = made(7, 4096);
    assert!((8..4088).step_by(8).all(|at| long[at..at + 8] != long[at - 8..at]));
    assert_eq!(made(7, 13), long[..13]);
}

#[test]
fn an_order_says_what_is_to_be_done() {
    let acts = [Act::Send, Act::Wait, Act::Receive, Act::Fill, Act::Drain, Act::SendAll, Act::ReceiveAll];
    for act in acts.into_iter().chain([Act::Call, Act::Reply, Act::CallAll, Act::ServeAll]) {
        assert_eq!([1, 2, 1_000_000].map(|number| Act::of(act.order(number))), [Some(act); 3]);
        assert_ne!(act.order(1), act.order(2));
    }
    assert_eq!(Act::of(0), None);
}

#[test]
fn the_sides_count_apart() {
    use super::part::Count::{Filled, Sent, Taken};
    use crate::demo::channel::Side::{Left, Right};
    let share = Share::new().expect("a page");
    share.set(Left, Sent, 3);
    share.set(Right, Taken, 5);
    share.stop();
    assert_eq!([share.get(Left, Sent), share.get(Right, Sent), share.get(Right, Taken)], [3, 0, 5]);
    assert_eq!((share.get(Left, Filled), share.get(Right, Filled), share.is_stopped()), (0, 0, true));
}

#[test]
fn what_was_not_found_is_null() {
    let params = Params::defaults(pipe::DEMO.spec());
    let values = pipe::DEMO.outcome(&params, &Tally::default());
    assert_eq!(values.len(), 6);
    assert!(values.values().all(|value| *value == Value::Null));
    let mut tally = Tally::default();
    let values = [("copies".to_owned(), json!(4)), ("intact".to_owned(), json!(true))].into();
    let row = Row { name: ROW.to_owned(), first: Nanos::ZERO, last: Nanos::ZERO, values };
    tally.tables.insert(SUMS.to_owned(), vec![row]);
    let values = rpc::DEMO.outcome(&params, &tally);
    assert_eq!((&values["copies"], &values["intact"], &values["capacity"]), (&json!(4), &json!(true), &Value::Null));
}

#[test]
fn a_size_that_a_demo_takes_is_one_that_its_way_carries() {
    for demo in DEMOS.iter().filter(|demo| demo.spec().pictures.iter().any(|p| matches!(p, Picture::Journey(_)))) {
        let size = demo.spec().param("size").expect("a message has a size");
        let crate::fact::ParamKind::Int { min, max, default, .. } = size.kind else { panic!("{size:?}") };
        assert!(min == 1 && (1..=max).contains(&default));
        let name = demo.spec().name;
        let way = crate::demo::channel::Way::ALL.into_iter().find(|way| way.name() == name).expect("a way");
        // A machine may allow less for a queue, and says so then.
        assert!(usize::try_from(max).is_ok_and(|max| max <= way.most() || name == "mqueue"), "{name}");
    }
}
