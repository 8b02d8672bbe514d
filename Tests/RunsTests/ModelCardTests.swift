import Evaluation
import Foundation
import ModelFiles
import StrictJSON
import TestSupport
import Testing

@testable import Runs

@Suite struct ModelCardTests {
    private func text(_ kind: ModelCard.Kind, base: String?, isAdapter: Bool, results: String? = nil) throws -> String {
        let card = ModelCard(
            kind: kind,
            directory: "policy/maxmin",
            method: "rloo",
            data: "the prompts of `p.jsonl`",
            results: results
        )
        let configuration = try Configuration(
            yaml: "run: { name: mine, directory: runs/mine, seed: 7, stages: [reward] }",
            file: "run.yaml",
            overrides: []
        )
        return card.text(configuration, base: base, isAdapter: isAdapter, template: "chatml", hash: "0123abcd")
    }

    @Test func saysHowItWasMadeAndIsLoaded() throws {
        let whole = try text(.policy, base: "models/base", isAdapter: false)
        for line in [
            "library_name: transformers", "pipeline_tag: text-generation", "# mine: policy/maxmin",
            "| base | `models/base` |", "| data | the prompts of `p.jsonl` |", "| chat template | `chatml` |",
            "| run | `mine`, seed 7 |", "XXH64 `0123abcd`", "maxmin generate --model . --prompt",
            "model = AutoModelForCausalLM.from_pretrained(\".\")", "None are known yet",
        ] {
            #expect(whole.contains(line), "\(line) is missing")
        }
        let adapter = try text(.rewardModel, base: "my base", isAdapter: true, results: "good")
        for line in [
            "library_name: peft", "pipeline_tag: text-classification", "from peft import PeftModel",
            "AutoModelForSequenceClassification.from_pretrained(\"my base\", num_labels=1), \"runs/mine/policy",
            "maxmin score --model 'my base' --adapter runs/mine/policy/maxmin --input", "\ngood\n",
        ] {
            #expect(adapter.contains(line), "\(line) is missing")
        }
        let ofRun = try text(.policy, base: "reference", isAdapter: true)
        #expect(ofRun.contains("--model runs/mine/reference --adapter runs/mine/policy/maxmin"))
        #expect(try text(.reference, base: nil, isAdapter: false).contains("| base | none: a new GPT-2"))
        // What YAML reads stands at the very beginning.
        #expect(whole.hasPrefix("---\nlibrary_name"))
    }

    @Test func tablesHaveTheFiguresOfTheRun() throws {
        let json = #"{"accuracy": {"a": {"mean": 0.7, "low": 0.6, "high": 0.8}, "b": null}, "test_accuracy": null}"#
        let accuracy = accuracyTable(of: try JSONValue(parsing: Array(json.utf8), at: "mixture.json"))
        #expect(accuracy.contains("| users labelled a | 70.0 | 60.0 to 80.0 |\n| users labelled b | – |"))
        let judge = JudgeEstimates(
            judge: "taste",
            winRate: [GroupEstimate(group: "concise", estimate: Estimate(mean: 0.9, low: 0.85, high: 0.95))],
            worstWinRate: Estimate(mean: 0.9, low: 0.85, high: 0.95),
            worstLessBaseline: nil,
            winRateAgainstSingle: []
        )
        let policy = PolicyEvaluation(name: "maxmin", judges: [judge], kl: 3.25, meanTokens: 20, samples: [])
        let rates = winRateTable(of: policy)
        #expect(rates.contains("| concise | taste | 90.0 | 85.0 to 95.0 |") && rates.contains("KL of 3.2 nats"))
    }

    /// A card may be edited: it is no result.
    @Test func cardsAreNotSealed() throws {
        try withTemporaryDirectory { path in
            let directory = RunDirectory(path: path)
            try FileManager.default.createDirectory(atPath: "\(path)/reward/single", withIntermediateDirectories: true)
            try writeAtomically("x", to: "\(path)/reward/single/README.md")
            try writeAtomically("x", to: "\(path)/reward/single/config.json")
            #expect(try directory.seals(of: ["reward"]).keys.sorted() == ["reward/single/config.json"])
        }
    }
}
