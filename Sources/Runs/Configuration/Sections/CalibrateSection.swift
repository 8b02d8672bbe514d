package import MaxMinPolicy
import StrictYAML

/// `calibrate`: one origin and unit for the groups' rewards, from samples of the reference policy.
package struct CalibrateSection: Equatable, Sendable {
    package var method: Calibration.Method = .standardize
    package var prompts = 64
    package var samplesPerPrompt = 4

    mutating func read(_ keys: inout SectionReader) {
        keys.read(
            "method",
            &method,
            .choice(Calibration.Method.self),
            "standardize: (r − μ)/σ; center: r − μ; log-sigmoid: log σ(r − median of the prompt's samples); none: r."
        )
        keys.read("prompts", &prompts, .integer(.atLeast(1), unit: "prompts"), "Prompts sampled from.")
        keys.read(
            "samples_per_prompt",
            &samplesPerPrompt,
            .integer(.atLeast(1), unit: "samples"),
            "Responses sampled for each."
        )
    }
}
