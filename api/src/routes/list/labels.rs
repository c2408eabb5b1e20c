//! The labels of a search: the values of the parameter `label`.

use domain::policy::is_label_name;
use domain::search::Alternatives;

/// Separates alternatives.
const ALTERNATIVES_SEPARATOR: char = '|';
/// Separates a name from its minimum confidence.
const MIN_CONFIDENCE_SEPARATOR: char = '>';

/// A label, or alternatives separated by `|`. Each can end with `>` and its minimum confidence in percent.
#[derive(utoipa::ToSchema)]
#[schema(
    min_length = 1,
    pattern = r"^[^|>\u0000-\u001f\u007f-\u009f]{1,100}(>(100(\.0{1,2})?|[0-9]{1,2}(\.[0-9]{1,2})?))?(\|[^|>\u0000-\u001f\u007f-\u009f]{1,100}(>(100(\.0{1,2})?|[0-9]{1,2}(\.[0-9]{1,2})?))?)*$",
    examples("Cat", "Cat>90|Dog")
)]
#[expect(dead_code, reason = "only utoipa reads it")]
pub(crate) struct LabelAlternatives(String);

/// Reads `Cat>90|Dog`. Names without a minimum confidence get `min_confidence`. `None` if the text is invalid.
pub(crate) fn alternatives(text: &str, min_confidence: Option<f64>) -> Option<Alternatives> {
    let mut alternatives = Alternatives::new();
    for part in text.split(ALTERNATIVES_SEPARATOR) {
        let (name, min) = match part.split_once(MIN_CONFIDENCE_SEPARATOR) {
            Some((name, min)) => (name, Some(percent(min)?)),
            None => (part, min_confidence),
        };
        if !is_label_name(name) {
            return None;
        }
        let lowest = |first: Option<f64>| first.zip(min).map(|(first, min)| first.min(min));
        alternatives
            .entry(name.to_lowercase())
            .and_modify(|first| *first = lowest(*first))
            .or_insert(min);
    }
    Some(alternatives)
}

/// A percentage with at most two decimals.
fn percent(text: &str) -> Option<f64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let are_digits = |text: &str, max| {
        (1..=max).contains(&text.len()) && text.bytes().all(|character| character.is_ascii_digit())
    };
    let percent: f64 = text.parse().ok()?;
    let max_digits = if percent < 100.0 { 2 } else { 3 };
    (are_digits(whole, max_digits) && are_digits(decimals, 2) && percent <= 100.0).then_some(percent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::policy::MAX_NAME_LENGTH;

    #[test]
    fn reads_alternatives_with_their_own_minimum_or_the_common_one() {
        let found = alternatives("CAT>90.5|Dog|cat>7", Some(50.0)).unwrap();
        assert_eq!(
            found,
            Alternatives::from([("cat".into(), Some(7.0)), ("dog".into(), Some(50.0))])
        );
        let any = alternatives("Cat>90|cat", None).unwrap();
        assert_eq!(any, Alternatives::from([("cat".into(), None)]));
    }

    #[test]
    fn rejects_invalid_alternatives() {
        let long = "🐈".repeat(MAX_NAME_LENGTH + 1);
        for text in [
            "",
            "|",
            "Cat|",
            "|Cat",
            "Cat||Dog",
            ">90",
            "Cat>",
            "Cat>x",
            "Cat>101",
            "Cat>-1",
            "Cat>1e1",
            "Cat>+5",
            "Cat>100.5",
            "Cat>5.",
            "Cat>.5",
            "Cat>5.123",
            "Cat>0100",
            "Cat>90>80",
            "Cat>=90",
            "a\0",
            &long,
        ] {
            assert_eq!(alternatives(text, None), None, "{text}");
        }
    }
}
