import MaxMinPolicy
import Reporting
import Simulation
import StrictJSON

/// How simulated tastes agree over the reference's samples, and what theory then predicts for each group.
///
/// Groups without users have no part in it.
struct TasteOutlook {
    /// Columns of a group in one table: more go below, so that 80 columns suffice.
    private static let columns = 7

    let names: [String]
    let pairs: Int
    /// Of the groups' tastes within prompts.
    let correlations: [[Double]]
    let forecast: GainForecast

    init(groups: [SimulatedGroup], pairs: [ResponsePair]) {
        let rated = groups.filter { $0.users > 0 }
        self.init(
            names: rated.map(\.name),
            users: rated.map(\.users),
            pairs: pairs.count,
            correlations: tasteCorrelations(rated.map(\.taste), over: pairs)
        )
    }

    init(names: [String], users: [Int], pairs: Int, correlations: [[Double]]) {
        self.names = names
        self.pairs = pairs
        self.correlations = correlations
        let all = Double(max(1, users.reduce(0, +)))
        forecast = GainForecast(correlations: correlations, shares: users.map { Double($0) / all })
    }

    /// The objectives with what each gives every group; last, what a policy for one group alone gives.
    var predictions: [(objective: String, gains: [Double])] {
        forecast.predictions
            + names.indices.map { group in
                let alone = names.indices.map { $0 == group ? 1.0 : 0.0 }
                return ("only-\(names[group])", PredictedGains.of(weights: alone, correlations))
            }
    }

    /// What follows, in words.
    var conclusion: String {
        guard forecast.verdict == .meanLeavesBehind else { return forecast.verdict.rawValue }
        let behind = forecast.leftBehind.map { names[$0] }.joined(separator: ", ")
        return "the mean of the groups leaves \(behind) behind, MaxMin does not"
    }

    /// For people, within 80 columns.
    var text: String {
        let numbered = names.enumerated().map { short("group \($0 + 1), \($1)") }
        let objectives = forecast.predictions.map(\.objective) + names.indices.map { "only group \($0 + 1)" }
        var text = "\nCorrelation of the groups' tastes within prompts, over \(pairs) pairs:\n\n"
        text += tables(rows: numbered, correlations)
        text += "Predicted gain of each group, in what its own policy would gain at that KL\n"
        text += "(single is predicted as proportional):\n\n"
        text += tables(rows: objectives, predictions.map(\.gains))
        return text + filled("Theory says: \(conclusion)")
    }

    private func tables(rows: [String], _ values: [[Double]]) -> String {
        stride(from: 0, to: names.count, by: Self.columns).map { first in
            let shown = first..<min(first + Self.columns, names.count)
            var table = Table([""] + shown.map { "\($0 + 1)" })
            for (row, values) in zip(rows, values) {
                table.add([row] + shown.map { values[$0].formatted(decimals: 2) })
            }
            return table.text + "\n"
        }.joined()
    }

    /// The words of a text in lines of 80 columns, where no word is longer.
    private func filled(_ text: String) -> String {
        text.split(separator: " ").reduce(into: [String]()) { lines, word in
            if let last = lines.last, last.count + word.count < 80 {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append(String(word))
            }
        }.joined(separator: "\n")
    }

    private func short(_ name: String) -> String { name.count > 24 ? String(name.prefix(23)) + "…" : name }

    /// The part of `tastes.json` that is for people and other programs.
    var json: JSONObject {
        var predicted = JSONObject()
        for (objective, gains) in predictions { predicted[objective] = .array(gains.map(JSONValue.number)) }
        return [
            "pairs": .integer(pairs),
            "groups": .array(names.map(JSONValue.string)),
            "correlations": .array(correlations.map { .array($0.map(JSONValue.number)) }),
            "predictions": .object(predicted),
            "conclusion": .string(conclusion),
        ]
    }
}
