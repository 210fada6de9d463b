//! Release notes, fed what is known to be hard on those who read Markdown.

use crate::mutation::{any_text, mutate};
use crate::run::{Input, Target};
use crate::support::harmless::fault;
use mass_driver::planner::prose::Notes;
use std::path::Path;
use std::sync::Arc;

/// Notes, and how much is shown of them.
pub fn targets() -> Vec<Target> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/notes/cases.txt");
    let cases = std::fs::read_to_string(file).unwrap();
    let texts: Vec<String> =
        cases.split("#### ").filter_map(|case| case.split_once('\n')).map(|(_, case)| case.to_owned()).collect();
    assert!(texts.len() > 60, "the table has cases");
    let texts = Arc::new(texts);
    let input = move |dice: &mut crate::dice::Dice| {
        let mut text = String::new();
        for _ in 0..=dice.roll(3) {
            let one = &texts[usize::try_from(dice.roll(texts.len() as u64)).unwrap()];
            text.push_str(&if dice.roll(6) == 0 { any_text(dice, &texts) } else { mutate(dice, one, &texts) });
        }
        Input { texts: vec![text], chance: dice.roll(3_000) }
    };
    vec![Target { name: "notes".into(), input: Box::new(input), check: Box::new(check) }]
}

fn check(input: &Input) -> Result<(), String> {
    let max_chars = usize::try_from(input.chance).unwrap();
    let link = Some("https://github.com/acme/api/releases/tag/v1");
    let shown = Notes { text: &input.texts[0], link, max_chars }.to_markdown();
    if shown.chars().count() > max_chars {
        return Err(format!("{} characters of {max_chars}", shown.chars().count()));
    }
    fault(&shown).map_or(Ok(()), |fault| Err(format!("{fault} in {shown:?}")))
}
