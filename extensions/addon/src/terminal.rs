//! Questions in a terminal: help below each and more of it with `?`, wrong answers told as they are typed, Escape goes back, Ctrl-C
//! breaks off.

use std::cell::Cell;
use std::fmt;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use inquire::autocompletion::Replacement;
use inquire::ui::{RenderConfig, Styled};
use inquire::validator::{ErrorMessage, Validation};
use inquire::{Autocomplete, CustomUserError, InquireError, Select, Text};
use nix::sys::signal::{SigSet, Signal};
use rustix::stdio::stdin;
use rustix::termios::{InputModes, LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zaf_core::application::{ABORT, Abort, CRITICAL_ABORT};
use zaf_core::command::{AbortLevel, AbortState, ToldByCommand};
use zaf_core::message::{Dispatcher, DispatcherKind, Message, MessageBus};

use crate::ask::{Ask, Check, Choice, MORE, Question, Reply};
use crate::error::AddonError;
use crate::paragraph::{paragraph, size};

/// A person at the terminal of this process. Each question is asked on a thread of its own, which is left behind when the command is
/// asked to end: whoever waits for a key does not hear of signals.
#[derive(Debug)]
pub(crate) struct Terminal {
    /// Gives the terminal back as it was found.
    _keys: Option<Keys>,
    replies: (Sender<Outcome>, Receiver<Outcome>),
    /// Hears of aborts as long as questions may be asked.
    listener: Dispatcher,
    abort: AbortState,
    /// That it was broken off is told when the question is over, not between its lines.
    _told: ToldByCommand,
}

/// Longest time that the signal of Ctrl-C, which has been sent, takes to be known: enough for a machine that is busy with other things.
const SIGNAL_KNOWN: Duration = Duration::from_secs(5);

type Outcome = Result<Reply, AddonError>;

impl Terminal {
    /// Asks until the command is aborted.
    ///
    /// # Errors
    /// [`AddonError::Terminal`] if aborts cannot be listened to.
    pub(crate) fn new(bus: &MessageBus, abort: &AbortState) -> Result<Self, AddonError> {
        let replies = unbounded();
        let breaks_off = |replies: &Sender<Outcome>| {
            let replies = replies.clone();
            move |_: &Message<Abort>, _: &MessageBus| {
                // Nobody listens any more if the last question has been answered.
                drop(replies.send(Err(AddonError::BrokenOff)));
                Ok(())
            }
        };
        let listener = bus
            .dispatcher(DispatcherKind::Callback, "addon")
            .on(ABORT, breaks_off(&replies.0))
            .on(CRITICAL_ABORT, breaks_off(&replies.0))
            .register()
            .map_err(|error| AddonError::Terminal(error.to_string()))?;
        Ok(Self {
            _keys: Keys::take(),
            replies,
            listener,
            abort: abort.clone(),
            _told: abort.told_by_command(),
        })
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.listener.destroy();
    }
}

/// The terminal gives each key as it is pressed and shows none of them, also between two questions: what is typed ahead is then neither
/// shown in the wrong place nor changed before the next question reads it. Ctrl-C is a key, too, which a question reads when it has drawn its
/// lines.
#[derive(Debug)]
struct Keys(Termios);

impl Keys {
    /// None if there is no terminal, which the first question says then.
    fn take() -> Option<Self> {
        let found = tcgetattr(stdin()).ok()?;
        let mut keys = found.clone();
        keys.local_modes
            .remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG);
        // Return is read as it is, as during a question.
        keys.input_modes.remove(InputModes::ICRNL);
        // At once: what was typed before stays to be read.
        tcsetattr(stdin(), OptionalActions::Now, &keys).ok()?;
        Some(Self(found))
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing back.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.0);
    }
}

impl Ask for Terminal {
    fn ask(&mut self, question: &Question) -> Outcome {
        let (replies, question) = (self.replies.0.clone(), question.clone());
        let is_over = Arc::new(AtomicBool::new(false));
        let over = is_over.clone();
        let asking = move || {
            let interrupt = HeldInterrupt::begin();
            let outcome = ask(&question);
            over.store(true, Ordering::SeqCst);
            drop(interrupt);
            // Nobody listens any more if the command was aborted.
            drop(replies.send(outcome));
        };
        zaf_core::thread::spawn("addon-question", asking)
            .map_err(|error| AddonError::Terminal(error.to_string()))?;
        let reply = self.replies.1.recv();
        let reply = reply.unwrap_or(Err(AddonError::BrokenOff));
        if matches!(reply, Err(AddonError::BrokenOff)) {
            // Known first, so that the process ends as the signal ends it.
            self.abort.wait(AbortLevel::Gentle, SIGNAL_KNOWN);
            if !is_over.load(Ordering::SeqCst) {
                // A signal of somebody else: the cursor stands in the question, which stays, and help is below. A terminal that is gone shows nothing.
                drop(std::io::stderr().write_all(b"\r\n\x1b[J"));
            }
        }
        reply
    }
}

/// Ctrl-C waits until this is dropped: what reads the keys sends the signal to its own thread, before the cursor has left the lines of the
/// question.
struct HeldInterrupt(SigSet);

impl HeldInterrupt {
    fn begin() -> Self {
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGINT);
        // Refused only for sets that do not exist.
        let _ = signals.thread_block();
        Self(signals)
    }
}

impl Drop for HeldInterrupt {
    fn drop(&mut self) {
        let _ = self.0.thread_unblock();
    }
}

fn ask(question: &Question) -> Outcome {
    let (width, rows) = size();
    let when = match question.check {
        Check::Line | Check::Origin(_) => "? in an empty line",
        Check::Name(_) | Check::Words(..) => "?",
    };
    let back = if question.is_first {
        ""
    } else {
        " Escape: the question before;"
    };
    let how = if question.choices.is_empty() {
        ""
    } else {
        "arrows or a part of a line, then Enter; "
    };
    let help = format!(
        "{} ({how}{when}: more help;{back} Ctrl-C: write nothing)",
        question.help
    );
    // It is shown in brackets.
    let help = paragraph(&help, width - 1, 1, 1);
    if question.choices.is_empty() {
        ask_for_text(question, &help)
    } else {
        ask_for_choice(question, &help, width, rows)
    }
}

/// Rows that a choice needs for the question and the help below.
const ROWS_AROUND: usize = 6;

fn ask_for_choice(question: &Question, help: &str, width: usize, rows: usize) -> Outcome {
    loop {
        let answered = ask_once_for_choice(question, help, width, rows)?;
        if let Some(reply) = answered {
            return Ok(reply);
        }
    }
}

/// None if it was left with nothing to choose: the list is to be shown anew.
fn ask_once_for_choice(
    question: &Question,
    help: &str,
    width: usize,
    rows: usize,
) -> Result<Option<Reply>, AddonError> {
    let (wants_more, fits) = (Cell::new(false), Cell::new(true));
    let choices = question.choices.iter();
    let lines: Vec<Line<'_>> = choices
        .map(|choice| Line::new(choice, &wants_more, &fits, width))
        .collect();
    let plain: Vec<String> = lines.iter().map(|line| line.plain.clone()).collect();
    let highest = lines.iter().map(|line| line.long.lines().count()).max();
    let fitting = rows.saturating_sub(ROWS_AROUND) / highest.unwrap_or(1).max(1);
    let begin = question
        .choices
        .iter()
        .position(|choice| Some(&choice.word) == question.default.as_ref());
    let scorer = |typed: &str, line: &Line<'_>, _: &str, index: usize| {
        wants_more.set(typed.contains(MORE));
        let typed = typed.replace(MORE, "");
        let score = |plain: &str| Select::<Line<'_>>::DEFAULT_SCORER(&typed, line, plain, index);
        if index == 0 {
            fits.set(plain.iter().any(|plain| score(plain).is_some()));
        }
        // Where nothing fits the first one stays, to say so.
        score(&line.plain).or((index == 0 && !fits.get()).then_some(0))
    };
    let chosen = Select::new(&question.text, lines)
        .with_help_message(help)
        .with_render_config(look(question))
        .with_starting_cursor(begin.unwrap_or(0))
        .with_page_size(fitting.clamp(1, question.choices.len()))
        .with_scorer(&scorer)
        .with_formatter(&|line| {
            let word = &line.value.choice.word;
            if fits.get() { word } else { "(nothing fits)" }.to_owned()
        })
        .raw_prompt_skippable()
        .map_err(failed)?;
    Ok(match chosen {
        None => Some(Reply::Back),
        Some(_) if !fits.get() => None,
        Some(chosen) => Some(Reply::Answer(chosen.value.choice.word.clone())),
    })
}

/// Column at which what a choice means is written, with the mark in front of it.
const MEANING_AT: usize = 15;

/// What a list says that nothing is left of.
const NOTHING_FITS: &str =
    "no line has this in it: Enter shows all again, Backspace takes a letter away";

/// A choice as it is shown, with more or less about it.
struct Line<'a> {
    choice: &'a Choice,
    wants_more: &'a Cell<bool>,
    /// Whether there is a choice that has what was typed.
    fits: &'a Cell<bool>,
    /// In one line, for what is typed to be looked for in it.
    plain: String,
    short: String,
    long: String,
    nothing_fits: String,
}

impl<'a> Line<'a> {
    fn new(
        choice: &'a Choice,
        wants_more: &'a Cell<bool>,
        fits: &'a Cell<bool>,
        width: usize,
    ) -> Self {
        let Choice {
            word,
            description,
            more,
        } = choice;
        let meaning = |text: &str| {
            let text = paragraph(text, width, MEANING_AT, MEANING_AT);
            format!("{word:<12} {text}")
        };
        Self {
            choice,
            wants_more,
            fits,
            plain: format!("{word} {description}"),
            short: meaning(description),
            long: meaning(&format!("{description}\n{more}")),
            nothing_fits: paragraph(NOTHING_FITS, width, 2, 2),
        }
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if !self.fits.get() {
            &self.nothing_fits
        } else if self.wants_more.get() {
            &self.long
        } else {
            &self.short
        })
    }
}

fn ask_for_text(question: &Question, help: &str) -> Outcome {
    let checked = question.clone();
    let validator = move |text: &str| {
        Ok(match checked.check(text) {
            Ok(_) => Validation::Valid,
            Err(expected) => {
                let (width, _) = size();
                Validation::Invalid(ErrorMessage::Custom(paragraph(&expected, width, 2, 2)))
            }
        })
    };
    let mut text = Text::new(&question.text)
        .with_help_message(help)
        .with_render_config(look(question))
        .with_validator(validator)
        .with_autocomplete(WhileTyping(question.clone()));
    if let Some(default) = &question.default {
        text = text.with_default(default);
    }
    let Some(answer) = text.prompt_skippable().map_err(failed)? else {
        return Ok(Reply::Back);
    };
    match question.check(&answer) {
        Ok(answer) => Ok(Reply::Answer(answer)),
        Err(expected) => Err(AddonError::Terminal(expected)),
    }
}

/// What is shown below an answer while it is typed. Tab takes the first answer that is near.
#[derive(Clone)]
struct WhileTyping(Question);

impl Autocomplete for WhileTyping {
    fn get_suggestions(&mut self, typed: &str) -> Result<Vec<String>, CustomUserError> {
        let (width, _) = size();
        let lines = self.0.while_typing(typed).into_iter();
        Ok(lines.map(|line| paragraph(&line, width, 2, 4)).collect())
    }

    fn get_completion(
        &mut self,
        typed: &str,
        chosen: Option<String>,
    ) -> Result<Replacement, CustomUserError> {
        Ok(self.0.completed(typed, chosen))
    }
}

/// Whoever goes back has not cancelled anything.
fn look(question: &Question) -> RenderConfig<'static> {
    let said = if question.is_first {
        "(no question before this one; Ctrl-C ends)"
    } else {
        "(back)"
    };
    RenderConfig::default().with_canceled_prompt_indicator(Styled::new(said))
}

fn failed(error: InquireError) -> AddonError {
    match error {
        InquireError::OperationInterrupted | InquireError::OperationCanceled => {
            AddonError::BrokenOff
        }
        // Ctrl-C, in the words of what reads the keys: it sends the signal itself and gives up.
        InquireError::IO(error) if error.kind() == std::io::ErrorKind::Interrupted => {
            AddonError::BrokenOff
        }
        error => AddonError::Terminal(error.to_string()),
    }
}
