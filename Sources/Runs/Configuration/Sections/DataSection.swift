package import Preferences
import StrictYAML
package import Text

/// `data`: prompts, preferences and text.
package struct DataSection: Equatable, Sendable {
    package var prompts: String?
    package var preferences: String?
    package var preset: DataPreset?
    package var fields: FieldMapping?
    package var text: String?
    package var chatTemplate: ChatTemplate?
    package var maxLength = 128
    package var onBadLine: BadLinePolicy = .fail
    package var duplicates: DuplicatePolicy = .keep
    package var split = SplitUnit.prompt
    package var heldOutPrompts = 512

    /// Where the fields of `preferences` are; nil: under our own names.
    package var mapping: FieldMapping? { preset?.mapping ?? fields }

    /// How the files are read, under the template of their prompts.
    package func loadOptions(_ template: ChatTemplate) -> LoadOptions {
        LoadOptions(onBadLine: onBadLine, template: template, duplicates: duplicates, mapping: mapping)
    }

    mutating func read(_ keys: inout SectionReader) {
        keys.read(
            "prompts",
            &prompts,
            .optional(.path),
            "Prompts, JSON Lines or CSV with `prompt` (or `text`, of which the first `simulate.prompt_tokens` tokens "
                + "are used), plain or gzip; null: those of `data.preferences`, or of the embedded corpus where that "
                + "is null too."
        )
        keys.read(
            "preferences",
            &preferences,
            .optional(.path),
            "Comparisons of real users, JSON Lines or CSV, plain or gzip; null: the `simulate` stage makes them."
        )
        keys.read(
            "preset",
            &preset,
            .optional(.choice(DataPreset.self)),
            "The published data set whose rows `data.preferences` has; null: rows of our own form, or `data.fields`."
        )
        keys.read(
            "fields",
            &fields,
            .fields,
            "Where our fields are in the rows of `data.preferences`, as `{prompt: info.post, user_id: worker}`; null: "
                + "under our own names."
        )
        keys.read(
            "text",
            &text,
            .optional(.path),
            "What the `sft` stage trains on, JSON Lines or CSV with `text`, plain or gzip; where `model.path` names a "
                + "model, also with `messages`, of which it learns the assistant's answers; null: the embedded corpus."
        )
        keys.read(
            "chat_template",
            &chatTemplate,
            .orAuto(.choice(ChatTemplate.self)),
            "What stands around the turns of a prompt: the template of the model's training; auto: the one that the "
                + "model's directory holds, or none where it holds none; none: their text as it is."
        )
        keys.read(
            "max_length",
            &maxLength,
            .integer(.from(2, to: 1 << 20), unit: "tokens"),
            "Longest prompt with response; a longer one loses the start of its prompt."
        )
        keys.read(
            "on_bad_line",
            &onBadLine,
            .choice(BadLinePolicy.self),
            "What to do with a line that cannot be read: end, or skip and count it (more than 1 % skipped ends the "
                + "run)."
        )
        keys.read(
            "duplicates",
            &duplicates,
            .choice(DuplicatePolicy.self),
            "What to do with a comparison that repeats an earlier one of the same user exactly: count it as another, "
                + "or drop it."
        )
        keys.read(
            "split",
            &split,
            .choice(SplitUnit.self),
            "What stays together when comparisons are split into folds and `test`. prompt: all comparisons of a "
                + "prompt, whoever made them; user: those of a user alone, so that another user's of the same prompt "
                + "may be on the other side."
        )
        keys.read(
            "held_out_prompts",
            &heldOutPrompts,
            .integer(.atLeast(1), unit: "prompts"),
            "Prompts kept apart for evaluation: no training stage sees them."
        )
    }
}
