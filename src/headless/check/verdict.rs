//! What an author said of a run against what it came to. Pure.

use crate::fact::{DemoSpec, Values, undecided};
use crate::lesson::{Demo, Predict, Step};
use serde_json::Value;

/// Everything of `values` that is not as the step says, a phrase each.
pub(super) fn differences(spec: &DemoSpec, step: &Step, demo: &Demo, values: &Values) -> Vec<String> {
    let mut out = Vec::new();
    for (name, expect) in &demo.expect {
        let value = values.get(name).unwrap_or(&Value::Null);
        let open = value.is_null() && undecided(values).is_some();
        if !open && !expect.matches.holds(value) {
            out.push(format!("{name} expected {}, measured {}", expect.written, shown(spec, name, value)));
        }
    }
    out.extend(step.predict().and_then(|predict| unanswered(spec, predict, values)));
    out
}

/// That the run did not answer the prediction, if so. It then stays open, on the screen too: a source may not see what is
/// asked for, a measurement may be inconclusive. Where it must not be, the step says so in what it expects.
pub(super) fn open(step: &Step, values: &Values) -> Option<String> {
    let name = &step.predict()?.answer;
    let measured = values.get(name).is_some_and(|value| !value.is_null());
    let why = undecided(values).map(|word| format!(": {word}")).unwrap_or_default();
    (!measured).then(|| format!("the prediction asks for {name}, which was not measured{why}"))
}

/// What is wrong with a prediction, if no option or more than one of it is right.
fn unanswered(spec: &DemoSpec, predict: &Predict, values: &Values) -> Option<String> {
    let name = &predict.answer;
    let value = values.get(name).unwrap_or(&Value::Null);
    if value.is_null() {
        return None;
    }
    let right: Vec<_> = predict.options.iter().filter(|o| o.matches.holds(value)).map(|o| o.label.as_str()).collect();
    let measured = shown(spec, name, value);
    match right[..] {
        [_] => None,
        [] => Some(format!("no option of the prediction covers {name}, measured {measured}")),
        _ => Some(format!("{} are all right: {name} measured {measured}", right.join(" and "))),
    }
}

fn shown(spec: &DemoSpec, name: &str, value: &Value) -> String {
    spec.returns(name).map_or_else(|| value.to_string(), |r| r.kind.show(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo;
    use crate::lesson::parse;
    use serde_json::json;

    const LESSON: &str = "+++\nid = \"a\"\ntitle = \"T\"\npart = \"P\"\n+++\n## One\n```predict\nHow many?\n- under 5\n\
                          - 5 .. 9\n- over 9\n= NAME\n```\n```demo DEMO\nexpect = { NAME = \"over 5\" }\n```\n";

    /// What is said of a run that came to `value`, of a demo that counts something.
    fn said(value: Value) -> Vec<String> {
        let counts = |spec: &&&'static DemoSpec| spec.returns.iter().any(|r| r.kind == crate::fact::ReturnKind::Count);
        let specs = demo::specs();
        let spec = specs.iter().find(counts).expect("one of them counts");
        let name = spec.returns.iter().find(|r| r.kind == crate::fact::ReturnKind::Count).expect("it does").name;
        let text = LESSON.replace("NAME", name).replace("DEMO", spec.name);
        let (lesson, wrong) = parse(text.as_bytes(), "en/1-a.md", "en");
        assert_eq!(wrong, []);
        let step = &lesson.steps[0];
        let values = [(name.to_owned(), value)].into();
        let said = differences(spec, step, step.demo().expect("it has one"), &values);
        said.into_iter().map(|line| line.replace(name, "N")).collect()
    }

    #[test]
    fn as_expected_is_nothing_to_say() {
        assert_eq!(said(json!(6)), [""; 0]);
    }

    #[test]
    fn each_difference_is_said() {
        assert_eq!(said(json!(4)), ["N expected over 5, measured 4"]);
        assert_eq!(said(json!(9)), ["no option of the prediction covers N, measured 9"]);
        assert_eq!(said(Value::Null), ["N expected over 5, measured not measured"]);
    }

    #[test]
    fn what_a_run_that_cannot_tell_did_not_measure_is_no_difference() {
        let mut text = LESSON.replace("DEMO", "any");
        text = text.replace("NAME", "count");
        let (lesson, _) = parse(text.as_bytes(), "en/1-a.md", "en");
        let step = &lesson.steps[0];
        let spec = demo::specs()[0];
        let said = |verdict: &str, count: Value| {
            let values = [("verdict".to_owned(), json!(verdict)), ("count".to_owned(), count)].into();
            differences(spec, step, step.demo().expect("it has one"), &values).len()
        };
        assert_eq!([said("inconclusive", Value::Null), said("one core", Value::Null)], [0, 0]);
        assert_eq!([said("clear", Value::Null), said("inconclusive", json!(4))], [1, 1]);
        let values = [("verdict".to_owned(), json!("one core"))].into();
        let open = open(step, &values).expect("it is open");
        assert!(open.ends_with("not measured: one core"), "{open}");
    }

    #[test]
    fn a_prediction_that_was_not_answered_stays_open() {
        let text =
            LESSON.replace("NAME", "count").replace("DEMO", "any").replace("expect = { count = \"over 5\" }\n", "");
        let (lesson, _) = parse(text.as_bytes(), "en/1-a.md", "en");
        let step = &lesson.steps[0];
        assert_eq!(open(step, &[("count".to_owned(), json!(6))].into()), None);
        let said = Some("the prediction asks for count, which was not measured".to_owned());
        assert_eq!(
            (open(step, &[("count".to_owned(), Value::Null)].into()), open(step, &Values::new())),
            (said.clone(), said)
        );
    }
}
