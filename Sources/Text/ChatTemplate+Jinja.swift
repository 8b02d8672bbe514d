extension ChatTemplate {
    /// The template in Jinja, as `transformers` and the servers built on it render it; nil for `none`.
    ///
    /// It is written beside what is trained (`chat_template.jinja`) and never run here.
    ///
    /// - Parameters:
    ///   - hasPrefix: whether the tokenizer puts beginning-of-text before every sequence by itself.
    ///   - systemMessage: what a conversation without a system's message begins with; nil: nothing.
    func jinja(hasPrefix: Bool, systemMessage: String?) -> String? {
        let prefix = hasPrefix || self == .olmo ? "{{ bos_token }}" : ""
        switch self {
        case .none: return nil
        case .tulu, .olmo:
            return prefix + """
                {% for message in messages %}{{ '<|' + message['role'] + '|>\\n' + message['content'] }}\
                {% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{{ '\\n' }}{% endfor %}\
                {% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}
                """
        case .llama2:
            return """
                {% if messages[0]['role'] == 'system' %}\
                {% set instruction = '<<SYS>>\\n' + messages[0]['content'] + '\\n<</SYS>>\\n\\n' %}\
                {% set turns = messages[1:] %}{% else %}{% set instruction = '' %}{% set turns = messages %}{% endif %}\
                {% for message in turns %}{% if message['role'] == 'user' %}\
                {{ bos_token + '[INST] ' + ((instruction if loop.first else '') \
                + message['content']).strip() + ' [/INST]' }}\
                {% else %}{{ ' ' + message['content'].strip() + ' ' + eos_token }}{% endif %}{% endfor %}
                """
        case .llama3:
            return """
                {{ bos_token }}{% for message in messages %}\
                {{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' }}\
                {{ message['content'].strip() + '<|eot_id|>' }}{% endfor %}\
                {% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}
                """
        case .llama31:
            return """
                {{ bos_token + '<|start_header_id|>system<|end_header_id|>\\n\\n\(escaped(Self.dates))' }}\
                {% if messages[0]['role'] == 'system' %}{{ messages[0]['content'].strip() }}\
                {% set turns = messages[1:] %}{% else %}{% set turns = messages %}{% endif %}{{ '<|eot_id|>' }}\
                {% for message in turns %}\
                {{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' }}\
                {{ message['content'].strip() + '<|eot_id|>' }}{% endfor %}\
                {% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}
                """
        case .chatml:
            let system = systemMessage.map { message in
                """
                {% if messages[0]['role'] != 'system' %}\
                {{ '<|im_start|>system\\n\(escaped(message))<|im_end|>\\n' }}{% endif %}
                """
            }
            return (system ?? "") + """
                {% for message in messages %}\
                {{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{% endfor %}\
                {% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}
                """
        case .alpaca:
            return prefix + """
                {% if messages[0]['role'] != 'system' %}{{ 'Below is an instruction that describes a task. \
                Write a response that appropriately completes the request.\\n\\n' }}{% endif %}\
                {% for message in messages %}{% if message['role'] == 'system' %}{{ message['content'] + '\\n\\n' }}\
                {% elif message['role'] == 'user' %}\
                {{ '### Instruction:\\n' + message['content'] + '\\n\\n### Response:\\n' }}\
                {% else %}{{ message['content'] + eos_token + '\\n\\n' }}{% endif %}{% endfor %}
                """
        }
    }
}

/// A text as a string literal of Jinja in single quotes holds it.
private func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("'", with: "\\'").replacing("\n", with: "\\n")
}
