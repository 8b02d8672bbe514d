package import MaxMinPolicy

/// `calibrate`: one origin and unit for the groups' rewards, from samples of the reference policy.
package struct CalibrateSection: Equatable, Sendable {
    package let method: Calibration.Method
    package let prompts: Int
    package let samplesPerPrompt: Int

    init(_ keys: inout SectionReader) {
        method = keys.read(
            "method",
            .choice(Calibration.Method.self),
            .standardise,
            "standardise: (r − μ)/σ; center: r − μ; log-sigmoid: log σ(r − median of the prompt's samples); none: r."
        )
        prompts = keys.read("prompts", .integer(.atLeast(1), unit: "prompts"), 64, "Prompts sampled from.")
        samplesPerPrompt = keys.read(
            "samples_per_prompt",
            .integer(.atLeast(1), unit: "samples"),
            4,
            "Responses sampled for each."
        )
    }
}
