package import Judging
import StrictYAML

/// `evaluate.llm`: a language model that says which of two responses a group would prefer.
package struct LLMJudgeSection: Equatable, Sendable {
    /// What a group wants, in words.
    package struct Rubric: Equatable, Sendable {
        package var group = ""
        package var text = ""

        mutating func read(_ keys: inout SectionReader) {
            keys.readRequired("group", &group, .text, "The group: its label, or `group-0` … where users have none.")
            keys.readRequired("text", &text, .text, "What its users want of a response, in words for the judge.")
        }
    }

    package var endpoint = ChatEndpoint()
    package var rubrics: [Rubric] = []
    private var url: String?
    private var model: String?

    /// The keys that decide how requests are sent, and not what is asked.
    static let independentKeys = [
        "key_variable", "timeout", "retries", "backoff", "concurrency", "prompt_price", "completion_price",
    ]

    package init() {}

    /// Reads a file that has the section's keys at its top.
    ///
    /// - Throws: `ConfigurationError` with every problem, or `Failure` where the file cannot be read.
    package init(contentsOfFile path: String) throws {
        self = try readDocument(
            readYAMLText(path),
            file: path,
            { keys in
                var section = LLMJudgeSection()
                section.read(&keys)
                return section
            },
            checks: { $0.problems(at: nil).map { ConfigurationProblem(location: path, message: $0) } }
        ).value
    }

    mutating func read(_ keys: inout SectionReader) {
        keys.read(
            "url",
            &url,
            .optional(.text),
            "Base address of an OpenAI-style endpoint, as `https://api.openai.com/v1` or `http://127.0.0.1:8000/v1`."
        )
        keys.read("model", &model, .optional(.text), "The judge's name at the endpoint.")
        keys.read(
            "key_variable",
            &endpoint.keyVariable,
            .optional(.text),
            "Name of the environment variable that holds the endpoint's key, which is written nowhere; null: no key."
        )
        keys.readList(
            "rubrics",
            &rubrics,
            of: Rubric(),
            standard: "[]",
            "What each group wants. Every group needs one."
        ) { $0.read(&$1) }
        keys.read(
            "temperature",
            &endpoint.temperature,
            .optional(.number(.atLeast(0))),
            "The judge's sampling temperature; null: the endpoint's own."
        )
        keys.read(
            "max_tokens",
            &endpoint.maxTokens,
            .optional(.integer(.atLeast(1), unit: "tokens")),
            "Longest answer, thoughts included; null: no limit is sent."
        )
        keys.read(
            "max_unanswered",
            &endpoint.mostUnanswered,
            .number(.from(0, to: 1)),
            "Part of the questions that may stay without an answer that can be read. Their pairs count as ties."
        )
        keys.read(
            "timeout",
            &endpoint.timeout,
            .number(.from(0.1, to: 86_400), unit: "seconds"),
            "Time limit of a request."
        )
        keys.read(
            "retries",
            &endpoint.retries,
            .integer(.from(0, to: 100), unit: "requests"),
            "How often a request that failed is sent again."
        )
        keys.read(
            "backoff",
            &endpoint.backoff,
            .number(.from(0, to: 3600), unit: "seconds"),
            "Wait before the first repetition; each later one is twice as long, up to 60 s, and none ends before the "
                + "endpoint's `Retry-After`."
        )
        keys.read(
            "concurrency",
            &endpoint.concurrency,
            .integer(.from(1, to: 256), unit: "requests"),
            "Requests under way at once."
        )
        keys.read(
            "prompt_price",
            &endpoint.promptPrice,
            .optional(.number(.atLeast(0), unit: "a million tokens")),
            "Price of the requests' tokens, in any currency; the cost is printed."
        )
        keys.read(
            "completion_price",
            &endpoint.completionPrice,
            .optional(.number(.atLeast(0), unit: "a million tokens")),
            "Price of the answers' tokens."
        )
        endpoint.url = url ?? ""
        endpoint.model = model ?? ""
    }

    /// What keeps it from being a judge; keys are shown below `path`, if there is one.
    func problems(at path: String?) -> [String] {
        let path = path.map { "\($0)." } ?? ""
        var problems: [String] = []
        if url == nil {
            problems.append("\(path)url: is missing; name an OpenAI-style endpoint, as https://api.openai.com/v1")
        } else if let problem = endpoint.problemOfURL {
            problems.append("\(path)url: \(problem)")
        }
        if model == nil { problems.append("\(path)model: is missing; name the model that is to judge") }
        if rubrics.isEmpty {
            problems.append("\(path)rubrics: names none; say for each group what its users want of a response")
        }
        let groups = rubrics.map(\.group)
        if Set(groups).count < groups.count { problems.append("\(path)rubrics: two are for the same group") }
        return problems
    }
}
