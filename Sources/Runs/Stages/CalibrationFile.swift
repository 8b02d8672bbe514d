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
            "prompts": .integer(prompts),
            "samples_per_prompt": .integer(samplesPerPrompt),
            "samples_hash": .string(samplesHash),
        ]
    }

    /// Reads what `json` gave.
    init(_ fields: JSONFields) throws(Failure) {
        let name = try fields.string("method")
        guard let method = Method(rawValue: name) else { throw fields.failure("method", "is unknown: \(name)") }
        self.init(
            method: method,
            means: try fields.doubles("means"),
            deviations: try fields.doubles("deviations"),
            referenceUtilities: try fields.doubles("reference_utilities"),
            prompts: try fields.int("prompts"),
            samplesPerPrompt: try fields.int("samples_per_prompt"),
            samplesHash: try fields.string("samples_hash")
        )
    }
}
