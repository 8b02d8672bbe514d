import Failures
import MaxMinPolicy
import StrictJSON

extension Calibration {
    /// The content of `calibration.json`; `models` names the reward models in order.
    func json(models: [String]) -> JSONValue {
        [
            "method": .string(method.rawValue),
            "models": .array(models.map(JSONValue.string)),
            "means": .array(means.map(JSONValue.number)),
            "deviations": .array(deviations.map(JSONValue.number)),
            "reference_utilities": .array(referenceUtilities.map(JSONValue.number)),
            "correlations": .array(correlations.map { .array($0.map(JSONValue.number)) }),
            "prompts": .integer(prompts),
            "samples_per_prompt": .integer(samplesPerPrompt),
            "samples_hash": .string(samplesHash),
        ]
    }

    /// Reads what `json` gave.
    ///
    /// - Parameter models: the names of the reward models that there are.
    init(_ fields: JSONFields, models: [String]) throws(Failure) {
        let name = try fields.string("method")
        guard let method = Method(rawValue: name) else { throw fields.failure("method", "is unknown: \(name)") }
        guard try fields.strings("models") == models else {
            throw fields.failure("models", "are not those of the reward stage; calibrate again")
        }
        let finite = Double.greatestFiniteMagnitude
        let correlations = try fields.optionalArray("correlations")?.map { $0.array?.map(\.number) ?? [] } ?? []
        let isSquare = correlations.isEmpty || correlations.count == models.count
        guard isSquare, let correlations = correlations as? [[Double]],
            correlations.allSatisfy({ $0.count == models.count && $0.allSatisfy((-1.001...1.001).contains) })
        else { throw fields.failure("correlations", "must be \(models.count) rows of as many numbers from -1 to 1") }
        self.init(
            method: method,
            means: try fields.doubles("means", in: -finite...finite),
            deviations: try fields.doubles("deviations", in: (method == .standardize ? 1e-30 : 0)...finite),
            referenceUtilities: try fields.doubles("reference_utilities", in: -finite...finite),
            correlations: correlations,
            prompts: try fields.int("prompts", in: 0...Int(Int32.max)),
            samplesPerPrompt: try fields.int("samples_per_prompt", in: 0...Int(Int32.max)),
            samplesHash: try fields.string("samples_hash")
        )
        for (key, values) in [
            ("means", means), ("deviations", deviations), ("reference_utilities", referenceUtilities),
        ] where values.count != models.count {
            throw fields.failure(key, "has \(values.count) numbers for \(models.count) reward models")
        }
    }
}
