use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::Value as V;

use super::architecture::Family;
use super::*;
use crate::testing::Folder;

fn options() -> GeneratorOptions {
    GeneratorOptions::new(Arc::new(|| Duration::ZERO))
}

fn request(prompt: &str, max_tokens: usize) -> Request {
    Request {
        prompt: Prompt::Text(prompt.into()),
        max_tokens,
        ..Request::default()
    }
}

fn all(mut answer: Answer) -> (String, Ended) {
    let mut text = String::new();
    while let Some(event) = answer.next_blocking() {
        match event {
            Event::Text(more) => text.push_str(&more),
            Event::End(end) => return (text, end),
        }
    }
    panic!("an answer without an end");
}

#[test]
fn an_answer_comes_from_the_thread_and_cancelling_frees_it() {
    let folder = Folder::new();
    let path = folder.join("tiny.gguf");
    testing::write(&path, Family::Gemma3, GgmlDType::Q4K);
    let generator = Generator::load(&path, &options()).unwrap();
    let described = generator.describe();
    assert_eq!(
        (described.architecture, described.form),
        ("gemma3", PromptForm::Base)
    );
    assert_eq!(described.context_tokens, testing::CONTEXT);
    let (text, end) = all(generator.generate(request("en sten", 12)).unwrap());
    assert_eq!(
        all(generator.generate(request("en sten", 12)).unwrap()).0,
        text
    );
    assert!(end.tokens <= 12);
    let mut left = generator.generate(request("en sten", 400)).unwrap();
    // It is under way when its first event is here.
    assert!(left.next_blocking().is_some());
    drop(left);
    // The next answer ends after a pass that found the other gone.
    all(generator.generate(request("ten", 1)).unwrap());
    while generator.stats().active > 0 {
        std::thread::yield_now();
    }
    assert_eq!(generator.stats().kv_bytes, 0);
    generator.shutdown();
    assert!(matches!(
        generator.generate(request("en", 1)),
        Err(Error::Stopped)
    ));
}

#[test]
fn a_full_queue_refuses_at_once() {
    let folder = Folder::new();
    let path = folder.join("tiny.gguf");
    testing::write(&path, Family::Qwen3, GgmlDType::Q8_0);
    let mut options = options();
    options.limits.queue = 2;
    options.limits.at_once = 1;
    // Nothing is done while somebody else goes first, but for a layer now and then.
    let turn = options.precedence.turn();
    let generator = Generator::load(&path, &options).unwrap();
    let mut answers = Vec::new();
    let refused = loop {
        match generator.generate(request("en", 300)) {
            Ok(answer) => answers.push(answer),
            Err(error) => break error,
        }
        assert!(answers.len() < 100, "nobody is refused");
    };
    assert!(matches!(refused, Error::Overloaded));
    drop(turn);
    generator.shutdown();
    let ends = answers.into_iter().map(|answer| all(answer).1.reason);
    assert!(
        ends.into_iter()
            .all(|reason| matches!(reason, Reason::Failed(_) | Reason::Stop | Reason::Length))
    );
}

#[test]
fn a_model_larger_than_the_machine_is_refused_before_it_is_read() {
    let folder = Folder::new();
    let path = folder.join("tiny.gguf");
    testing::write(&path, Family::Gemma3, GgmlDType::Q4K);
    let mut options = options();
    options.free_bytes = Some(300 << 20);
    let said = Generator::load(&path, &options).unwrap_err();
    assert!(
        matches!(said, Error::TooLarge { free_mb: 300, .. }),
        "{said}"
    );
}

#[test]
fn an_instruction_model_is_asked_by_the_template_in_its_file() {
    let folder = Folder::new();
    let path = folder.join("tiny.gguf");
    let mut entries = testing::metadata(Family::Qwen3);
    let template = "{{ bos_token }}{% if eos_token != '<eos>' %}{{ raise_exception('no end') }}{% endif %}{% for m in messages %}<b>{{ m.role }}: {{ m.content.strip() }}\n{% endfor %}\
                    {% if add_generation_prompt %}<b>assistant:{% endif %}";
    entries.push(("tokenizer.chat_template".into(), V::String(template.into())));
    testing::write_with(
        &path,
        &entries,
        &testing::tensors(Family::Qwen3),
        GgmlDType::Q8_0,
    );
    let generator = Generator::load(&path, &options()).unwrap();
    assert_eq!(generator.describe().form, PromptForm::Instruct);
    let message = |role, text: &str| Message {
        role,
        text: text.into(),
    };
    let asked = |system: &str, user: &str| Request {
        prefix: Prompt::Messages(vec![message(Role::System, system)]),
        prompt: Prompt::Messages(vec![message(Role::User, user)]),
        max_tokens: 4,
        ..Request::default()
    };
    let (first, end) = all(generator
        .generate(asked("sten ten", "en <bos><eos>"))
        .unwrap());
    assert_eq!(end.cached_tokens, 0);
    let (second, end) = all(generator
        .generate(asked("sten ten", "en <bos><eos>"))
        .unwrap());
    assert_eq!(first, second);
    assert!(
        end.cached_tokens > 5,
        "the system's message is known: {end:?}"
    );
    // As text, the same prompt written out; control tokens in a message are only letters.
    let plain = all(generator
        .generate(request(
            "<b>system: sten ten\n<b>user: en < b o s >< e o s >\n<b>assistant:",
            4,
        ))
        .unwrap());
    assert_eq!(plain.0, first);
}

#[test]
fn templates_that_fail_or_never_end_are_said() {
    let folder = Folder::new();
    let path = folder.join("tiny.gguf");
    let load = |template: &str| {
        let mut entries = testing::metadata(Family::Qwen3);
        entries.push(("tokenizer.chat_template".into(), V::String(template.into())));
        testing::write_with(
            &path,
            &entries,
            &testing::tensors(Family::Qwen3),
            GgmlDType::Q8_0,
        );
        Generator::load(&path, &options())
    };
    assert!(
        load("{% for")
            .unwrap_err()
            .to_string()
            .contains("chat template")
    );
    let endless = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
    for (template, expected) in [
        ("{{ raise_exception('only users') }}", "only users"),
        (endless, "fuel"),
    ] {
        let generator = load(template).unwrap();
        let asked = Request {
            prompt: Prompt::Messages(vec![]),
            max_tokens: 1,
            ..Request::default()
        };
        let (_, end) = all(generator.generate(asked).unwrap());
        assert!(
            matches!(&end.reason, Reason::Failed(why) if why.contains(expected)),
            "{end:?}"
        );
    }
}

/// What could never be held is not promised.
#[test]
fn the_longest_text_is_what_memory_is_set_aside_for() {
    let folder = Folder::new();
    let path = folder.join("tiny.gguf");
    testing::write(&path, Family::Gemma3, GgmlDType::Q4K);
    let mut options = options();
    let architecture = architecture::Architecture::read(&gguf::Gguf::open(&path).unwrap()).unwrap();
    options.limits.kv_bytes = 3 * cache::page_bytes(&architecture) + 1;
    let generator = Generator::load(&path, &options).unwrap();
    let context = generator.describe().context_tokens;
    assert_eq!(context, 3 * crate::kernels::decoder::PAGE);
    let (_, end) = all(generator.generate(request("en", context)).unwrap());
    assert!(
        matches!(&end.reason, Reason::Failed(why) if why.contains("exceed the 96")),
        "{end:?}"
    );
}
