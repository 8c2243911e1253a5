use super::*;

#[test]
fn errors_name_the_key_and_its_place() {
    for (text, place, says) in [
        ("ignored: []\n", "1:1", "ignored"),
        (
            "ignore:\n- rule: exec-format-error\n",
            "2:3",
            "the key reason is missing",
        ),
        ("ignore:\n- reason: x\n", "2:3", "the key rule is missing"),
        (
            "ignore:\n- rule: exec-format-error\n  reason: ' '\n",
            "3:11",
            "reason: it is empty",
        ),
        (
            "ignore:\n- rule: exec-format-eror\n  reason: x\n",
            "2:9",
            "no rule \"exec-format-eror\"; did you mean exec-format-error?",
        ),
        (
            "ignore:\n- rule: [exec-format-error, nope]\n  reason: x\n",
            "2:9",
            "no rule \"nope\"",
        ),
        (
            "ignore:\n- rule: []\n  reason: x\n",
            "2:9",
            "no rule is named",
        ),
        (
            "ignore:\n- rule: '*'\n  reason: x\n  until: 2026-01-01\n",
            "4:3",
            "until",
        ),
        (
            "ignore:\n- rule: '*'\n  reason: x\n  expires: 2026-02-30\n",
            "4:12",
            "is no date",
        ),
        (
            "ignore:\n- rule: '*'\n  reason: x\n  expires: 20260228\n",
            "4:12",
            "is no date",
        ),
        (
            "ignore:\n- rule: '*'\n  reason: x\n  name: []\n",
            "4:9",
            "name: it is empty",
        ),
        (
            "ignore:\n- rule: '*'\n  reason: x\n  name: 5\n",
            "4:3",
            "ignore[0].name: invalid type: integer `5`, expected a text or a list of texts",
        ),
        (
            "ignore:\n- rule: '*'\n  reason: x\n  rule: y\n",
            "4:3",
            "duplicate",
        ),
        ("ignore: exec-format-error\n", "1:9", "sequence"),
        ("ignore: [\n", "1:9", "unclosed"),
        ("- a\n", "1:1", ""),
    ] {
        let error = Config::parse(text, "c.yaml").unwrap_err();
        assert_eq!(
            format!("{}:{}", error.line, error.column),
            place,
            "{text}: {error}"
        );
        assert!(error.to_string().contains(says), "{text}: {error}");
        assert!(error.to_string().starts_with("c.yaml:"), "{error}");
    }
}

#[test]
fn an_empty_file_says_nothing() {
    for text in [
        "",
        "# nothing yet\n",
        "---\n",
        "{}\n",
        "ignore:\n",
        "ignore: []\n",
        "\u{feff}ignore: []\r\n",
    ] {
        assert_eq!(
            Config::parse(text, "c.yaml").unwrap(),
            Config::default(),
            "{text:?}"
        );
    }
}

#[test]
fn entries_know_where_they_stand() {
    let text = "ignore:\n- rule: exec-format-error\n  reason: one\n\n- {rule: [no-matching-platform], kind: Job, expires: 2026-12-31, reason: two}\n";
    let config = Config::parse(text, ".archcheck.yaml").unwrap();
    let seen: Vec<_> = config
        .ignores
        .iter()
        .map(|ignore| {
            (
                ignore.place.as_str(),
                ignore.reason.as_str(),
                ignore.expires.map(|e| e.to_string()),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (".archcheck.yaml:2", "one", None),
            (".archcheck.yaml:5", "two", Some("2026-12-31".to_owned())),
        ]
    );
}
