package import Failures
import Foundation

/// An OpenAI-style chat-completions endpoint, and how it is asked; times are in seconds.
package struct ChatEndpoint: Equatable, Sendable {
    /// The base, as `https://api.openai.com/v1`, or the whole address that ends in `/chat/completions`.
    package var url = ""
    /// The model's name there.
    package var model = ""
    /// Name of the environment variable that holds the key; nil: the endpoint asks for none.
    package var keyVariable: String?
    /// Sampling temperature of the judge; nil: the endpoint's own.
    package var temperature: Double? = 0
    /// Longest answer in tokens; nil: the endpoint's own limit.
    package var maxTokens: Int? = 256
    /// How long one request may take.
    package var timeout = 60.0
    /// How often a request that failed is sent again.
    package var retries = 6
    /// The wait before the first repetition; each later wait is twice as long, up to 60 s.
    package var backoff = 1.0
    /// Requests under way at once.
    package var concurrency = 4
    /// The share of questions that may stay without an answer.
    package var mostUnanswered = 0.02
    /// Price of a million tokens of prompts, in any currency; nil: unknown.
    package var promptPrice: Double?
    /// Price of a million tokens of answers.
    package var completionPrice: Double?

    /// An endpoint that is still to be named.
    package init() {}

    /// Where requests are sent.
    package var completions: String {
        let base = url.hasSuffix("/") ? String(url.dropLast()) : url
        return base.hasSuffix("/chat/completions") ? base : base + "/chat/completions"
    }

    /// What is wrong with the address; nil: nothing.
    package var problemOfURL: String? {
        guard let parts = URLComponents(string: url), let scheme = parts.scheme?.lowercased(),
            ["http", "https"].contains(scheme), parts.host?.isEmpty == false
        else { return "is no address; give one as https://api.openai.com/v1" }
        guard parts.user == nil, parts.password == nil else {
            return "holds a user or password; put a key into an environment variable and name that"
        }
        guard parts.query == nil, parts.fragment == nil else {
            return "has a query or a fragment; give the address alone"
        }
        return nil
    }

    /// The key, from the environment; nil where the endpoint needs none.
    ///
    /// - Throws: `Failure` 78 where the variable is not set, or holds what no header may.
    package func key(in environment: [String: String]) throws(Failure) -> String? {
        guard let keyVariable else { return nil }
        guard let key = environment[keyVariable], !key.isEmpty else {
            throw Failure(
                .configuration,
                "the environment variable \(keyVariable) is not set; put the endpoint's key into it",
                at: "key_variable"
            )
        }
        guard key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Failure(
                .configuration,
                "the environment variable \(keyVariable) holds spaces or other characters that no key has",
                at: "key_variable"
            )
        }
        return key
    }
}
