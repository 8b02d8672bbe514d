package import Simulation

/// A sampled response and the prompt it continues, as text and as tokens.
package struct JudgedResponse: Equatable, Sendable {
    /// The prompt's text.
    package var prompt: String
    /// The response's text.
    package var response: String
    /// The prompt's tokens.
    package var promptTokens: [Int32]
    /// The response's tokens, end-of-text included where it was sampled.
    package var responseTokens: [Int32]

    /// States a response.
    package init(prompt: String, response: String, promptTokens: [Int32], responseTokens: [Int32]) {
        self.prompt = prompt
        self.response = response
        self.promptTokens = promptTokens
        self.responseTokens = responseTokens
    }
}

/// A named utility that decides which response a group prefers: a true taste or a learned reward.
package struct Judge {
    /// What the judge is called in results.
    package var name: String
    /// Utilities of a batch of responses, in their order.
    package var utilities: ([JudgedResponse]) throws -> [Double]

    /// A judge of any utility, as a learned reward model that scores a batch at once.
    package init(name: String, utilities: @escaping ([JudgedResponse]) throws -> [Double]) {
        self.name = name
        self.utilities = utilities
    }

    /// A judge of a simulated group's true taste.
    package init(name: String, taste: Taste) {
        self.init(name: name) { responses in
            responses.map {
                taste.utility(prompt: $0.prompt, response: $0.response, tokens: $0.responseTokens.count)
            }
        }
    }

    /// Utilities of samples grouped by prompt, prompts × samples.
    package func utilities(byPrompt samples: [[JudgedResponse]]) throws -> [[Double]] {
        let flat = try utilities(samples.flatMap { $0 })
        precondition(flat.count == samples.reduce(0) { $0 + $1.count }, "judge \(name) gave \(flat.count) utilities")
        var position = 0
        return samples.map { own in
            defer { position += own.count }
            return Array(flat[position..<position + own.count])
        }
    }
}
