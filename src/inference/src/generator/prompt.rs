//! How a model wants to be asked: as plain text, or as messages by the chat template in its file.

use minijinja::{Environment, ErrorKind, Value as Jinja, context};
use serde::Serialize;

use super::gguf::{Gguf, Value};
use super::tokenizer::Tokenizer;
use crate::error::{Error, Result};

/// Longest template that is read, and steps that one may take: ten times what known ones need.
const MOST_TEMPLATE: usize = 64 << 10;
const MOST_STEPS: u64 = 1_000_000;

/// Who says a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    System,
    User,
    Assistant,
}

/// One message of a prompt for an instruction model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    pub role: Role,
    #[serde(rename = "content")]
    pub text: String,
}

/// What a model is asked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prompt {
    /// For any model: goes on as text does.
    Text(String),
    /// For instruction models: rendered by the template in the file.
    Messages(Vec<Message>),
}

impl Default for Prompt {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

/// The form that a model was trained to be asked in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PromptForm {
    /// Worked examples as plain text.
    Base,
    /// Messages.
    Instruct,
}

/// The template in a file, if there is one.
pub(super) struct Template {
    environment: Option<Environment<'static>>,
}

impl Template {
    pub(super) fn read(file: &Gguf) -> Result<Self> {
        let source = match file.metadata.get("tokenizer.chat_template") {
            None => return Ok(Self { environment: None }),
            Some(Value::Text(source)) if source.len() <= MOST_TEMPLATE => source.clone(),
            Some(_) => {
                return Err(file.fault(format!(
                    "has a chat template that is no text of at most {MOST_TEMPLATE} bytes"
                )));
            }
        };
        let mut environment = Environment::new();
        environment.set_fuel(Some(MOST_STEPS));
        environment.set_recursion_limit(64);
        environment
            .set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", |said: String| -> Result<Jinja, _> {
            Err(minijinja::Error::new(ErrorKind::InvalidOperation, said))
        });
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment
            .add_template_owned("chat", source)
            .map_err(|e| file.fault(format!("has a chat template that cannot be read: {e}")))?;
        Ok(Self {
            environment: Some(environment),
        })
    }

    pub(super) fn form(&self) -> PromptForm {
        match self.environment {
            Some(_) => PromptForm::Instruct,
            None => PromptForm::Base,
        }
    }

    /// The text of messages, control tokens and all; `answer`: up to where the model is to go on.
    fn render(&self, messages: &[Message], answer: bool, tokenizer: &Tokenizer) -> Result<String> {
        let Some(environment) = &self.environment else {
            return Err(Error::Failed(
                "this model has no chat template: ask it with plain text".into(),
            ));
        };
        let messages: Vec<Message> = messages.iter().map(|m| harmless(m, tokenizer)).collect();
        let values = context! {
            messages => messages,
            add_generation_prompt => answer,
            bos_token => tokenizer.text_of_begin(),
            eos_token => tokenizer.text_of_end(),
            enable_thinking => false,
        };
        let template = environment.get_template("chat");
        let text = template.and_then(|t| t.render(values));
        text.map_err(|e| Error::Failed(format!("the model's chat template failed: {e}")))
    }

    /// All tokens of a prompt, and how many of them are those of its fixed part whatever follows.
    pub(super) fn tokens(
        &self,
        fixed: &Prompt,
        prompt: &Prompt,
        tokenizer: &Tokenizer,
    ) -> Result<(Vec<u32>, usize)> {
        let (all, first) = match (fixed, prompt) {
            (Prompt::Text(fixed), Prompt::Text(prompt)) => (
                tokenizer.encode(&[fixed.as_str(), prompt].concat(), false)?,
                tokenizer.encode(fixed, false)?,
            ),
            (Prompt::Messages(fixed), Prompt::Messages(prompt)) => {
                let whole = [fixed.as_slice(), prompt].concat();
                let whole = self.render(&whole, true, tokenizer)?;
                let first = self.render(fixed, false, tokenizer)?;
                (
                    tokenizer.encode(&whole, true)?,
                    tokenizer.encode(&first, true)?,
                )
            }
            (Prompt::Text(fixed), Prompt::Messages(_)) if fixed.is_empty() => {
                return self.tokens(&Prompt::Messages(Vec::new()), prompt, tokenizer);
            }
            _ => {
                return Err(Error::Failed(
                    "the fixed part of a prompt and the rest have another form".into(),
                ));
            }
        };
        let common = all.iter().zip(&first).take_while(|(a, b)| a == b).count();
        // The last token is always read anew: its scores are wanted.
        let common = common.min(all.len().saturating_sub(1));
        Ok((all, common))
    }
}

/// A message without anything that reads as a control token.
fn harmless(message: &Message, tokenizer: &Tokenizer) -> Message {
    let mut text = message.text.clone();
    for needle in tokenizer.control_in(&message.text) {
        let broken: String = needle.chars().flat_map(|c| [c, ' ']).collect();
        text = text.replace(needle, broken.trim_end());
    }
    Message {
        role: message.role,
        text,
    }
}
