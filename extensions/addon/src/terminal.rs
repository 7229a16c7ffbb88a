//! Questions in a terminal: help below each, wrong answers told as they are given, Escape goes back, Ctrl-C breaks off.

use inquire::validator::{ErrorMessage, Validation};
use inquire::{InquireError, Select, Text};

use crate::ask::{Ask, Question, Reply};
use crate::error::AddonError;

/// A person at the terminal of this process.
#[derive(Debug, Default)]
pub(crate) struct Terminal;

impl Ask for Terminal {
    fn ask(&mut self, question: &Question) -> Result<Reply, AddonError> {
        let help = format!(
            "{} (Escape: the question before; Ctrl-C: write nothing)",
            question.help
        );
        if question.choices.is_empty() {
            return ask_for_text(question, &help);
        }
        let lines = question
            .choices
            .iter()
            .map(|(word, description)| format!("{word:<12} {description}"))
            .collect();
        let begin = question
            .choices
            .iter()
            .position(|(word, _)| Some(word) == question.default.as_ref());
        let chosen = Select::new(&question.text, lines)
            .with_help_message(&help)
            .with_starting_cursor(begin.unwrap_or(0))
            .raw_prompt_skippable()
            .map_err(failed)?;
        Ok(chosen.map_or(Reply::Back, |chosen| {
            Reply::Answer(question.choices[chosen.index].0.clone())
        }))
    }
}

fn ask_for_text(question: &Question, help: &str) -> Result<Reply, AddonError> {
    let check = question.check.clone();
    let validator = move |text: &str| {
        Ok(match check.check(text) {
            Ok(_) => Validation::Valid,
            Err(expected) => Validation::Invalid(ErrorMessage::Custom(expected)),
        })
    };
    let mut text = Text::new(&question.text)
        .with_help_message(help)
        .with_validator(validator);
    if let Some(default) = &question.default {
        text = text.with_default(default);
    }
    let Some(answer) = text.prompt_skippable().map_err(failed)? else {
        return Ok(Reply::Back);
    };
    match question.check.check(&answer) {
        Ok(answer) => Ok(Reply::Answer(answer)),
        Err(expected) => Err(AddonError::Terminal(expected)),
    }
}

fn failed(error: InquireError) -> AddonError {
    match error {
        InquireError::OperationInterrupted | InquireError::OperationCanceled => {
            AddonError::BrokenOff
        }
        error => AddonError::Terminal(error.to_string()),
    }
}
