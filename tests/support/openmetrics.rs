//! Reads what `GET /metrics` answers, and refuses what OpenMetrics 1.0 does not allow.

use std::collections::BTreeMap;

/// One metric family: everything below one `# TYPE`.
#[derive(Debug)]
pub struct Family {
    pub name: String,
    pub kind: String,
    pub help: String,
    pub unit: Option<String>,
    pub samples: Vec<Sample>,
}

#[derive(Debug)]
pub struct Sample {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

/// The families of a text, in its order.
pub fn parse(text: &str) -> Vec<Family> {
    let body = text.strip_suffix("# EOF\n").unwrap_or_else(|| panic!("it does not end with # EOF:\n{text}"));
    let mut families: Vec<Family> = Vec::new();
    for line in body.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            let (what, name, rest) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap_or_default());
            if families.last().is_none_or(|family| family.name != name) {
                assert!(families.iter().all(|family| family.name != name), "{name} comes twice");
                let (name, kind, help) = (name.to_owned(), String::new(), String::new());
                families.push(Family { name, kind, help, unit: None, samples: Vec::new() });
            }
            let family = families.last_mut().unwrap();
            match what {
                "HELP" => family.help = rest.to_owned(),
                "TYPE" => family.kind = rest.to_owned(),
                "UNIT" => family.unit = Some(rest.to_owned()),
                _ => panic!("no such comment: {line}"),
            }
            continue;
        }
        let family = families.last_mut().unwrap_or_else(|| panic!("a sample without a family: {line}"));
        let sample = sample(line);
        let suffix =
            sample.name.strip_prefix(&family.name).unwrap_or_else(|| panic!("{line} is not of {}", family.name));
        let allowed: &[&str] = match family.kind.as_str() {
            "counter" => &["_total"],
            "gauge" => &[""],
            "histogram" => &["_bucket", "_sum", "_count"],
            kind => panic!("no kind of ours: {kind}"),
        };
        assert!(allowed.contains(&suffix), "{line} is no sample of a {}", family.kind);
        family.samples.push(sample);
    }
    families
}

fn sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value: {line}"));
    let (name, labels) = match series.split_once('{') {
        Some((name, labels)) => (name, labels.strip_suffix('}').unwrap_or_else(|| panic!("not closed: {line}"))),
        None => (series, ""),
    };
    // Our label values hold neither quotes nor commas.
    let labels = labels.split(',').filter(|label| !label.is_empty()).map(|label| {
        let (key, value) = label.split_once('=').unwrap_or_else(|| panic!("no label: {line}"));
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        (key.to_owned(), value.unwrap_or_else(|| panic!("not quoted: {line}")).to_owned())
    });
    Sample { name: name.to_owned(), labels: labels.collect(), value: value.parse().unwrap() }
}

/// The sum of the samples of a name that carry these labels.
pub fn sum(families: &[Family], name: &str, labels: &[(&str, &str)]) -> f64 {
    let samples = families.iter().flat_map(|family| &family.samples).filter(|sample| sample.name == name);
    let fitting = samples.filter(|s| labels.iter().all(|(key, value)| s.labels.get(*key).is_some_and(|v| v == value)));
    fitting.map(|sample| sample.value).sum()
}
