package import Preferences
package import Text

/// `data`: prompts, preferences and text.
package struct DataSection: Equatable, Sendable {
    package let prompts: String?
    package let preferences: String?
    package let text: String?
    package let chatTemplate: ChatTemplate
    package let maxLength: Int
    package let onBadLine: BadLinePolicy
    package let duplicates: DuplicatePolicy
    package let heldOutPrompts: Int

    init(_ keys: inout SectionReader) {
        prompts = keys.read(
            "prompts",
            .optional(.path),
            nil,
            "Prompts, JSON Lines with `prompt` (or `text`, of which the first `simulate.prompt_tokens` tokens are used); "
                + "null: the embedded corpus."
        )
        preferences = keys.read(
            "preferences",
            .optional(.path),
            nil,
            "Comparisons of real users, JSON Lines or CSV; null: the `simulate` stage makes them."
        )
        text = keys.read(
            "text",
            .optional(.path),
            nil,
            "Documents for the `sft` stage, JSON Lines with `text`; null: the embedded corpus."
        )
        chatTemplate = keys.read(
            "chat_template",
            .choice(ChatTemplate.self),
            .none,
            "What stands around the turns of a prompt: the template of the model's training; none: their text as it is."
        )
        maxLength = keys.read(
            "max_length",
            .integer(.from(2, to: 1 << 20), unit: "tokens"),
            128,
            "Longest prompt with response; a longer one loses the start of its prompt."
        )
        onBadLine = keys.read(
            "on_bad_line",
            .choice(BadLinePolicy.self),
            .fail,
            "What to do with a line that cannot be read: end, or skip and count it (more than 1 % skipped ends the run)."
        )
        duplicates = keys.read(
            "duplicates",
            .choice(DuplicatePolicy.self),
            .keep,
            "What to do with a comparison that repeats an earlier one of the same user exactly: count it as another, or drop it."
        )
        heldOutPrompts = keys.read(
            "held_out_prompts",
            .integer(.atLeast(1), unit: "prompts"),
            512,
            "Prompts kept apart for evaluation: no training stage sees them."
        )
    }
}
