import Failures
import LanguageModels
import Testing

@testable import Runs

/// The keys of adapters, and what they mean for a model.
@Suite struct TrainableKeysTests {
    static let shape = ModelConfiguration(vocabularySize: 20, positions: 12, width: 8, layers: 3, heads: 2)

    private func trained(_ keys: String) throws -> TrainableParameters {
        try Configuration(yaml: "reward: { trainable: lora, lora: {\(keys)} }", file: "run.yaml").reward
            .trained(of: Self.shape)
    }

    @Test func keysBecomeSettings() throws {
        #expect(try trained("") == .adapters(AdapterSettings(rank: 8, alpha: 32)))
        #expect(
            try trained("rank: 2, alpha: 3, targets: [c_fc, attn.c_proj], top_layers: 2")
                == .adapters(AdapterSettings(rank: 2, alpha: 3, targets: ["c_fc", "attn.c_proj"], topLayers: 2))
        )
        let policy = try Configuration(yaml: "policy: { trainable: lora }", file: "run.yaml").policy
        #expect(try policy.trained(of: Self.shape) == .adapters(AdapterSettings(rank: 16, alpha: 32)))
        #expect(try Configuration(yaml: "", file: "run.yaml").policy.trained(of: Self.shape) == .full)
    }

    @Test(arguments: [
        (
            "targets: [c_fc, q_proj]",
            "reward.lora.targets: 'q_proj' is no linear layer of a block of model.path; these are "
                + "attn.c_attn, attn.c_proj, mlp.c_fc, mlp.c_proj"
        ),
        ("targets: []", "reward.lora.targets: names no layer; use all-linear for every one"),
        ("top_layers: 4", "reward.lora.top_layers: is 4, but the model has 3 blocks; null means all"),
    ])
    func whatTheModelLacksIsRefused(keys: String, line: String) throws {
        do {
            _ = try trained(keys)
            Issue.record("nothing was thrown")
        } catch let failure as Failure {
            #expect(failure.description == line && failure.code == .configuration)
        }
    }

    @Test func unknownKeysAreNamed() {
        let found = problems("reward: { lora: { rnak: 2 } }")
        #expect(found == ["run.yaml:1: unknown key reward.lora.rnak; did you mean reward.lora.rank?"])
    }

    /// A section in a section is written out and read back, and can be overridden.
    @Test func sectionsInSectionsReadBackEqual() throws {
        let overrides = ["reward.lora.rank=3", "policy.lora.targets=[c_fc]"]
        let configuration = try Configuration(yaml: "", file: "run.yaml", overrides: overrides)
        #expect(configuration.reward.lora.rank == 3 && configuration.policy.lora.targets == ["c_fc"])
        let again = try Configuration(yaml: configuration.effectiveYAML, file: "again.yaml")
        #expect(again.reward == configuration.reward && again.policy == configuration.policy)
        #expect(again.effectiveYAML == configuration.effectiveYAML)
    }
}
