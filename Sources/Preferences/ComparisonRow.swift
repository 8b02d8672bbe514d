import Failures
import StrictJSON
import Text

/// What a row says of responses to its prompt, as ordered choices: one, or where responses tie several that weigh 1
/// together.
///
/// - `chosen` and `rejected`: a pair; with `tie: true` neither is better. `chosen_complete`, `rejected_complete` are
///   false where sampling was cut short.
/// - `responses`, a list, and one of: `ranking`, indices from 0, best first (those left out are below them, in no
///   order); `choice`, the index of the best; `scores`, a number each, higher is better, equal ones tie; `tie: true`.
///   `responses_complete` is a list of flags.
/// - Rows of Personalized Soups: `user_input` is the prompt and `completion_a` the chosen response, as in that work's
///   own training code, unless `preference` is `b`.
func comparisons(of row: JSONObject, _ template: ChatTemplate, at location: String) throws(Failure) -> [Comparison] {
    if row["prompt"] == nil, row["user_input"] != nil { return [try soup(row, template, at: location)] }
    let prompt = try row.prompt("prompt", template, at: location)
    let ties = try row.flag("tie", default: false, at: location)
    guard let list = row["responses"], !list.isNull else {
        let pair = [
            Response(
                try row.text("chosen", at: location),
                isComplete: try row.flag("chosen_complete", default: true, at: location)
            ),
            Response(
                try row.text("rejected", at: location),
                isComplete: try row.flag("rejected_complete", default: true, at: location)
            ),
        ]
        return ordered(prompt, pair, scores: ties ? [0, 0] : [1, 0])
    }
    let responses = try responses(row, at: location)
    let told = ["ranking", "choice", "scores"].filter { row[$0].map { !$0.isNull } ?? false } + (ties ? ["tie"] : [])
    guard told.count == 1 else {
        let found = told.isEmpty ? "none" : told.joined(separator: " and ")
        let message = "beside \"responses\" a row has one of \"ranking\", \"choice\", \"scores\" and \"tie\": true"
        throw Failure(.badData, "\(message); found \(found)", at: location)
    }
    switch told[0] {
    case "ranking", "choice":
        let order = try indices(row, told[0], of: responses.count, at: location)
        let rest = responses.indices.filter { !order.contains($0) }
        return [
            Comparison(
                prompt: prompt,
                responses: (order + rest).map { responses[$0] },
                ranked: min(order.count, responses.count - 1)
            )
        ]
    case "scores": return ordered(prompt, responses, scores: try scores(row, of: responses.count, at: location))
    default: return ordered(prompt, responses, scores: responses.map { _ in 0 })
    }
}

/// Responses by their scores; where some tie, two orders of weight ½, in which every two that tie stand in either order
/// once.
private func ordered(_ prompt: Conversation, _ responses: [Response], scores: [Double]) -> [Comparison] {
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

private func responses(_ row: JSONObject, at location: String) throws(Failure) -> [Response] {
    guard let texts = row["responses"]?.array?.map(\.string) as? [String], (2...64).contains(texts.count) else {
        throw Failure(.badData, "field \"responses\" must be a list of 2 to 64 strings", at: location)
    }
    guard let flags = row["responses_complete"], !flags.isNull else { return texts.map { Response($0) } }
    guard let complete = flags.array?.map(\.bool) as? [Bool], complete.count == texts.count else {
        let message = "field \"responses_complete\" must be a list of \(texts.count) flags, one a response"
        throw Failure(.badData, message, at: location)
    }
    return zip(texts, complete).map { Response($0, isComplete: $1) }
}

/// The distinct indices that a ranking lists, or the one of a choice.
private func indices(
    _ row: JSONObject,
    _ key: String,
    of count: Int,
    at location: String
) throws(Failure) -> [Int] {
    let values = key == "choice" ? row[key].map { [$0] } : row[key]?.array
    guard let order = values?.map(\.integer) as? [Int], !order.isEmpty, order.allSatisfy((0..<count).contains),
        Set(order).count == order.count
    else {
        let what = key == "choice" ? "the index of a response" : "a list of different indices of responses"
        throw Failure(.badData, "field \"\(key)\" must be \(what), 0 to \(count - 1)", at: location)
    }
    return order
}

private func scores(_ row: JSONObject, of count: Int, at location: String) throws(Failure) -> [Double] {
    guard let scores = row["scores"]?.array?.map(\.number) as? [Double], scores.count == count,
        scores.allSatisfy(\.isFinite)
    else {
        throw Failure(.badData, "field \"scores\" must be a list of \(count) numbers, one a response", at: location)
    }
    return scores
}

private func soup(_ row: JSONObject, _ template: ChatTemplate, at location: String) throws(Failure) -> Comparison {
    let a = try row.text("completion_a", at: location)
    let b = try row.text("completion_b", at: location)
    let preference = try row.optionalText("preference", at: location) ?? "a"
    guard preference == "a" || preference == "b" else {
        throw Failure(.badData, "field \"preference\" must be \"a\" or \"b\", found \"\(preference)\"", at: location)
    }
    return Comparison(
        prompt: try row.prompt("user_input", template, at: location),
        chosen: Response(preference == "a" ? a : b),
        rejected: Response(preference == "a" ? b : a)
    )
}
