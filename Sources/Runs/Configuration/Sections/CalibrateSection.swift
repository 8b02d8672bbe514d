package import MaxMinPolicy
import StrictYAML

/// `calibrate`: one origin and unit for the groups' rewards, from samples of the reference policy.
package struct CalibrateSection: Equatable, Sendable {
    /// What becomes of a group's reward model whose held-out accuracy is not above chance.
    package enum AtChance: String, CaseIterable, Sendable { case refuse, take }

    package var method: Calibration.Method = .standardize
    package var prompts = 256
    package var samplesPerPrompt = 4
    package var atChance = AtChance.refuse

    mutating func read(_ keys: inout SectionReader) {
        keys.read(
            "method",
            &method,
            .choice(Calibration.Method.self),
            "standardize: (r − μ)/σ, where σ² is the mean variance within prompts; center: r − μ; log-sigmoid: "
                + "log σ(r − median of the prompt's samples); none: r."
        )
        keys.read("prompts", &prompts, .integer(.atLeast(1), unit: "prompts"), "Training prompts, drawn at random.")
        keys.read(
            "samples_per_prompt",
            &samplesPerPrompt,
            .integer(.atLeast(2), unit: "samples"),
            "Responses sampled for each prompt."
        )
        keys.read(
            "at_chance",
            &atChance,
            .choice(AtChance.self),
            "What becomes of a group's reward model whose accuracy on held-out comparisons of its own users is not "
                + "above chance."
        )
    }
}
