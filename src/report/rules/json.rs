//! Rules for programs: `kubectl archcheck rules -o json`. Fields are only ever added.

use serde::Serialize;

use super::url;
use crate::verdict::Rule;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RulesV1 {
    schema_version: u32,
    rules: Vec<RuleV1>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RuleV1 {
    name: &'static str,
    /// The worst first.
    severities: Vec<&'static str>,
    summary: &'static str,
    advice: &'static str,
    meaning: &'static str,
    messages: Vec<MessageV1>,
    why: &'static str,
    fixes: &'static [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    snippet: Option<&'static str>,
    examples: Vec<ExampleV1>,
    url: String,
}

#[derive(Debug, Serialize)]
struct MessageV1 {
    #[serde(rename = "where")]
    seen: &'static str,
    text: &'static str,
    by: &'static str,
}

#[derive(Debug, Serialize)]
struct ExampleV1 {
    thread: &'static str,
    url: String,
    story: &'static str,
}

/// These rules as a JSON document.
///
/// # Errors
/// When the serialiser fails, which no rule makes it do.
pub fn json(rules: &[Rule]) -> Result<String, serde_json::Error> {
    let rules = rules.iter().map(|&rule| rule_v1(rule)).collect();
    let document = RulesV1 {
        schema_version: 1,
        rules,
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn rule_v1(rule: Rule) -> RuleV1 {
    let page = rule.page();
    let messages = page.messages.iter().map(|message| MessageV1 {
        seen: message.seen.as_str(),
        text: message.text,
        by: message.by,
    });
    let examples = page.examples.iter().map(|example| ExampleV1 {
        thread: example.thread,
        url: example.url(),
        story: example.story,
    });
    RuleV1 {
        name: page.name,
        severities: [Some(page.severity), page.milder]
            .into_iter()
            .flatten()
            .map(|severity| severity.as_str())
            .collect(),
        summary: page.summary,
        advice: page.advice,
        meaning: page.meaning,
        messages: messages.collect(),
        why: page.why,
        fixes: page.fixes,
        snippet: page.snippet,
        examples: examples.collect(),
        url: url(rule),
    }
}
