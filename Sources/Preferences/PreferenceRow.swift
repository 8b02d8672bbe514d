import Failures
package import StrictJSON
package import Text

/// What a user said of responses to a prompt, as a row of a preference file has it.
package struct PreferenceRow: Equatable, Sendable {
    /// What was said of the responses.
    package enum Answer: Equatable, Sendable {
        /// The first of two is better.
        case pair
        /// None is better than another.
        case tie
        /// The index of the best.
        case choice(Int)
        /// Indices, best first; those left out are below them, in no order.
        case ranking([Int])
        /// A number each; higher is better, equal ones tie.
        case scores([Double])
    }

    package var userID: String
    package var group: String?
    package var prompt: Conversation
    package var responses: [Response]
    package var answer: Answer

    /// As ordered choices: one, or where responses tie two that weigh 1 together.
    package var comparisons: [Comparison] {
        switch answer {
        case .pair: return [Comparison(prompt: prompt, responses: responses, ranked: 1)]
        case .tie: return ordered(by: responses.map { _ in 0 })
        case .scores(let scores): return ordered(by: scores)
        case .choice(let best): return [ranked([best])]
        case .ranking(let order): return [ranked(order)]
        }
    }

    /// The row as a preference file has it.
    package var json: JSONObject {
        var row = JSONObject()
        row["user_id"] = .string(userID)
        row["prompt"] = prompt.json
        if let group { row["group"] = .string(group) }
        let isPair = responses.count == 2 && (answer == .pair || answer == .tie)
        if isPair {
            for (key, response) in zip(["chosen", "rejected"], responses) { row[key] = .string(response.text) }
        } else {
            row["responses"] = .array(responses.map { .string($0.text) })
        }
        switch answer {
        case .pair: break
        case .tie: row["tie"] = true
        case .choice(let best): row["choice"] = .integer(best)
        case .ranking(let order): row["ranking"] = .array(order.map(JSONValue.integer))
        case .scores(let scores): row["scores"] = .array(scores.map(JSONValue.number))
        }
        if isPair {
            for (key, response) in zip(["chosen", "rejected"], responses) where !response.isComplete {
                row["\(key)_complete"] = false
            }
        } else if !responses.allSatisfy(\.isComplete) {
            row["responses_complete"] = .array(responses.map { .bool($0.isComplete) })
        }
        return row
    }

    private func ranked(_ order: [Int]) -> Comparison {
        let rest = responses.indices.filter { !order.contains($0) }
        return Comparison(
            prompt: prompt,
            responses: (order + rest).map { responses[$0] },
            ranked: min(order.count, responses.count - 1)
        )
    }

    /// Responses by their scores; where some tie, two orders of weight ½, in which every two that tie stand in either
    /// order once.
    private func ordered(by scores: [Double]) -> [Comparison] {
        let order = responses.indices.sorted { (-scores[$0], $0) < (-scores[$1], $1) }
        let other = responses.indices.sorted { (-scores[$0], -$0) < (-scores[$1], -$1) }
        let orders = order == other ? [order] : [order, other]
        return orders.map { order in
            Comparison(
                prompt: prompt,
                responses: order.map { responses[$0] },
                ranked: responses.count - 1,
                weight: 1 / Double(orders.count)
            )
        }
    }
}

extension PreferenceRow {
    /// Reads a row of our own form.
    ///
    /// - `user_id` (a text or a whole number), `prompt`, optionally `group`.
    /// - `chosen` and `rejected`: a pair, as texts or as conversations that end with the response (see `Pair`); with
    ///   `tie: true` neither is better. `chosen_complete`, `rejected_complete` are false where sampling was cut short.
    /// - `responses`, a list, and one of: `ranking`, `choice`, `scores`, `tie: true`. `responses_complete` is a list of
    ///   flags.
    ///
    /// - Throws: `Failure` 65 at the line, which names the field.
    init(_ row: JSONObject, _ template: ChatTemplate, at location: String) throws(Failure) {
        userID = try row.identifier("user_id", at: location)
        guard !userID.isEmpty else { throw Failure(.badData, "field \"user_id\" is empty", at: location) }
        group = row.has("group") ? try row.identifier("group", at: location) : nil
        // Ids and groups go into tables, where a line break would forge a row for whoever reads lines.
        for (key, name) in [("user_id", userID), ("group", group ?? "")]
        where name.unicodeScalars.contains(where: breaksLines) {
            throw Failure(.badData, "field \"\(key)\" holds a control character; take it out", at: location)
        }
        let ties = try row.flag("tie", default: false, at: location)
        if row.has("responses") {
            prompt = try row.prompt("prompt", template, at: location)
            responses = try row.responses(at: location)
            answer = try row.answer(of: responses.count, ties: ties, at: location)
        } else {
            let pair = try Pair(row, at: location)
            try template.requireRendering(pair.prompt, of: "prompt", at: location)
            prompt = pair.prompt
            responses = [
                Response(pair.chosen, isComplete: try row.flag("chosen_complete", default: true, at: location)),
                Response(pair.rejected, isComplete: try row.flag("rejected_complete", default: true, at: location)),
            ]
            answer = ties ? .tie : .pair
        }
    }
}

/// Whether a scalar is a control character or ends a line.
private func breaksLines(_ scalar: Unicode.Scalar) -> Bool {
    [.control, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory)
}

extension JSONObject {
    fileprivate func responses(at location: String) throws(Failure) -> [Response] {
        guard let texts = self["responses"]?.array?.map(\.string) as? [String], (2...64).contains(texts.count) else {
            throw Failure(.badData, "field \"responses\" must be a list of 2 to 64 strings", at: location)
        }
        guard has("responses_complete") else { return texts.map { Response($0) } }
        guard let complete = self["responses_complete"]?.array?.map(\.bool) as? [Bool], complete.count == texts.count
        else {
            let message = "field \"responses_complete\" must be a list of \(texts.count) flags, one a response"
            throw Failure(.badData, message, at: location)
        }
        return zip(texts, complete).map { Response($0, isComplete: $1) }
    }

    /// The one thing that is said of so many responses.
    fileprivate func answer(
        of count: Int,
        ties: Bool,
        at location: String
    ) throws(Failure) -> PreferenceRow.Answer {
        let told = ["ranking", "choice", "scores"].filter(has) + (ties ? ["tie"] : [])
        guard told.count == 1 else {
            let found = told.isEmpty ? "none" : told.joined(separator: " and ")
            let message = "beside \"responses\" a row has one of \"ranking\", \"choice\", \"scores\" and \"tie\": true"
            throw Failure(.badData, "\(message); found \(found)", at: location)
        }
        switch told[0] {
        case "ranking": return .ranking(try indices("ranking", of: count, at: location))
        case "choice": return .choice(try indices("choice", of: count, at: location)[0])
        case "scores": return .scores(try scores(of: count, at: location))
        default: return .tie
        }
    }

    /// The distinct indices that a ranking lists, or the one of a choice.
    private func indices(_ key: String, of count: Int, at location: String) throws(Failure) -> [Int] {
        let values = key == "choice" ? self[key].map { [$0] } : self[key]?.array
        guard let order = values?.map(\.integer) as? [Int], !order.isEmpty, order.allSatisfy((0..<count).contains),
            Set(order).count == order.count
        else {
            let what = key == "choice" ? "the index of a response" : "a list of different indices of responses"
            throw Failure(.badData, "field \"\(key)\" must be \(what), 0 to \(count - 1)", at: location)
        }
        return order
    }

    private func scores(of count: Int, at location: String) throws(Failure) -> [Double] {
        guard let scores = self["scores"]?.array?.map(\.number) as? [Double], scores.count == count,
            scores.allSatisfy(\.isFinite)
        else {
            throw Failure(.badData, "field \"scores\" must be a list of \(count) numbers, one a response", at: location)
        }
        return scores
    }
}
