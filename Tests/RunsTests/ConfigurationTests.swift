import MaxMinPolicy
import Optimizers
import Preferences
import StrictYAML
import Testing

@testable import Runs

@Suite struct ConfigurationTests {
    @Test func defaultsAreRight() throws {
        let configuration = try Configuration(yaml: "", file: "run.yaml")
        #expect(configuration.policy.training.beta == 0.05)
        #expect(configuration.policy.training.optimizer.learningRate == 5e-5)
        #expect(configuration.run.stages == Stage.allCases)
        #expect(configuration.simulate.groups.map(\.users) == [20, 2])
        #expect(configuration.policy.training.targetKL == nil)
        #expect(configuration.shards == 8)
    }

    @Test func valuesAreTakenByTheKeysType() throws {
        let yaml = """
            run: { name: no, directory: "012", seed: 18446744073709551615, stages: [reward] }
            model: { path: ~/literal$HOME }
            policy: { beta: 1e-5, target_kl: 0.1, objectives: [softmin, maxmin-uncalibrated] }
            simulate:
              groups:
              - name: 'it''s # not a comment'
                users: 3
                taste: a/b.json
            shards: 3
            """
        let configuration = try Configuration(yaml: yaml, file: "run.yaml")
        #expect(configuration.run.name == "no")
        #expect(configuration.run.directory == "012")
        #expect(configuration.run.seed == .max)
        #expect(configuration.model.path == "~/literal$HOME")
        #expect(configuration.policy.training.beta == 1e-5)
        #expect(configuration.policy.training.targetKL == 0.1)
        #expect(configuration.policy.objectives == [.softmin, .maxminUncalibrated])
        #expect(configuration.simulate.groups.map(\.name) == ["it's # not a comment"])
        #expect(configuration.shards == 3)
    }

    /// No key is read and then forgotten: some other value of it makes another configuration.
    @Test func everyKeyFillsItsProperty() throws {
        var top = SectionReader(path: "", node: nil)
        _ = Configuration(&top)
        for record in top.allRecords where record.type != "list of mappings" {
            // Keys of stages that a run does not have contradict nothing; some keys tell of a file.
            let ofPreferences = ["data.preset", "data.fields"].contains(record.path) ? ["data.preferences=word"] : []
            let stages = ofPreferences + (record.path == "run.stages" ? [] : ["run.stages=[reward]"])
            let standard = try Configuration(yaml: "", file: "run.yaml", overrides: stages)
            let words = record.type.split(whereSeparator: { " ,".contains($0) }).flatMap { ["\($0)", "[\($0)]"] }
            let values =
                ["1", "2", "3", "7", "0.5", "0.25", "300", "true", "false", "word", "[word]", "[2]", "{prompt: word}"]
                + words
            let changed = values.filter { $0 != record.standard }.contains { value in
                let option = "\(record.path)=\(value)"
                guard let other = try? Configuration(yaml: "", file: "run.yaml", overrides: stages + [option]) else {
                    return false
                }
                return other.run != standard.run || other.model != standard.model || other.data != standard.data
                    || other.sft != standard.sft || other.simulate != standard.simulate
                    || other.reward != standard.reward || other.calibrate != standard.calibrate
                    || other.policy != standard.policy || other.evaluate != standard.evaluate
                    || other.shards != standard.shards
            }
            #expect(changed, "\(record.path)")
        }
    }

    /// A mapping stands in `config.yaml` as it was meant, and what is wrong with one is told.
    @Test func mappingsOfFields() throws {
        let yaml = #"""
            run: { stages: [reward] }
            data:
              preferences: votes.csv
              fields:
                - user_id: "votes[by=a b].id"
                  prompt: [first, "answer_{best}"]
                  choices: { A: 0, same: tie, none: null }
                - user_id: =all
                  prompt: "=Title: {title}\n\"quoted\""
            """#
        let configuration = try Configuration(yaml: yaml, file: "run.yaml")
        let again = try Configuration(yaml: configuration.effectiveYAML, file: "run.yaml")
        #expect(again.data == configuration.data && again.effectiveYAML == configuration.effectiveYAML)
        #expect(again.data.mapping?.lines.last == "prompt ← =Title: {title} …")
        func found(_ data: String) -> [String] {
            problems("{ run: { stages: [reward] }, data: { preferences: x, \(data) } }")
        }
        #expect(
            found("fields: { promt: x }") == [
                "run.yaml:1: data.fields: needs mapping, list of mappings, or null, not this one: has no field "
                    + #""promt"; did you mean "prompt"?"#
            ]
        )
        #expect(found("preset: multipref, fields: { prompt: x }").count == 1)
        #expect(problems("data: { fields: { prompt: x } }").count == 1)
    }

    @Test func anOldNameIsToldTheNewOne() {
        for old in ["kl: adaptive", "kl_target: 2", "kl_horizon: 9"] {
            let key = old.prefix { $0 != ":" }
            #expect(problems("policy: { \(old) }") == ["run.yaml:1: policy.\(key): is called policy.max_kl now"])
        }
        #expect(problems("simulate: { noise: 3 }") == ["run.yaml:1: simulate.noise: is called simulate.sharpness now"])
    }

    @Test(arguments: PolicyObjective.allCases + [.only(0), .only(12)])
    func objectivesKeepTheirNames(objective: PolicyObjective) {
        #expect(PolicyObjective(rawValue: objective.rawValue) == objective)
        #expect(PolicySection().settings(for: objective).objective == objective.weighting)
        let others = PolicyObjective.allCases.filter { $0 != objective && $0 != .maxminUncalibrated }
        #expect(objective == .maxminUncalibrated || !others.map(\.weighting).contains(objective.weighting))
    }

    @Test(arguments: ["only", "only-", "only--1", "only-01", "only-+1", "only-one", "only-99999999999999999999"])
    func anObjectiveForNoNumberIsNone(name: String) {
        #expect(PolicyObjective(rawValue: name) == nil)
        #expect(problems("policy: { objectives: [\(name)] }").count == 1)
    }

    @Test func objectivesOfGroupsNeedTheirGroups() throws {
        func found(_ objectives: String, groups: String = "2") -> [String] {
            problems("reward: { groups: \(groups) }\npolicy: { objectives: [\(objectives)] }")
        }
        #expect(found("only-1, only-0, regret, maxmin") == [])
        let unknown = "policy.objectives: only-2 names no group; there are only-0, only-1"
        #expect(found("only-0, only-2") == [unknown])
        let missing = "policy.objectives: regret compares with what each group's own policy reached; put "
        #expect(found("only-0, regret, only-1") == [missing + "only-1 before it"])
        #expect(found("regret") == [missing + "only-0, only-1 before it"])
        // How many groups there are is not known yet.
        #expect(found("only-7, regret", groups: "auto") == [])
        #expect(problem(ofObjectives: [.only(0), .regret], groups: 1) == nil)
    }

    @Test func overridesReachListElementsAndNewSections() throws {
        let yaml = "simulate: { groups: [{ name: a, users: 1, taste: length }, { name: b, users: 2, taste: length }] }"
        let configuration = try Configuration(
            yaml: yaml,
            file: "run.yaml",
            overrides: [
                "simulate.groups.1.users=11", "policy.beta=0.5", "policy.objectives=[maxmin, single]",
                "model.path=\"x: y\"", "run.stages=[policy]", "shards=2", "policy.beta=0.25",
            ]
        )
        #expect(configuration.simulate.groups.map(\.users) == [1, 11])
        #expect(configuration.policy.training.beta == 0.25)
        #expect(configuration.policy.objectives == [.maxmin, .single])
        #expect(configuration.model.path == "x: y")
        #expect(configuration.shards == 2)
    }

    @Test(arguments: [
        ("policy.beta", "--set policy.beta: needs the form section.key=value"),
        ("=1", "--set =1: needs the form section.key=value"),
        ("policy..beta=1", "--set policy..beta=1: the path of the key is malformed"),
        ("policy.bata=1", "--set policy.bata=1: unknown key policy.bata; did you mean policy.beta?"),
        ("policy.beta=high", "--set policy.beta=high: policy.beta: needs number ≥ 0, not \"high\""),
        (
            "simulate.groups.7.users=1",
            "--set simulate.groups.7.users=1: 7 is no element of a list of 1 (the first is 0)"
        ),
        (
            "policy.beta=*x",
            "--set policy.beta=*x: aliases (*) are not supported; write the value out, or quote the text"
        ),
    ])
    func badOverridesAreNamed(option: String, line: String) {
        let yaml = "simulate: { groups: [{ name: a, users: 1, taste: length }] }"
        #expect(problems(yaml, overrides: [option]) == [line])
    }

    @Test func effectiveConfigurationReadsBackEqual() throws {
        let yaml = """
            run: { name: "tab\\tand \\"quote\\" \\\\ null", stages: [simulate, policy] }
            data: { prompts: "null", max_length: 64 }
            policy: { target_kl: 1.5, learning_rate: 0.000001, nominal_mix: 0.3333333333333333 }
            """
        let first = try Configuration(yaml: yaml, file: "run.yaml")
        let second = try Configuration(yaml: first.effectiveYAML, file: "config.yaml")
        #expect(first == second)
        #expect(first.run.name == "tab\tand \"quote\" \\ null")
        #expect(first.data.prompts == "null")
    }

    @Test func allProblemsAreReportedAtOnce() {
        let yaml = """
            run:
              nmae: x
              seed: -1
            policy:
              beta: [1]
              learning_rate: "1e-5"
              objectives: [maxmin, maxmin]
              lambda: 2
            reward: 3
            simulate:
              groups:
              - { users: 1.5, taste: length }
            pollicy: {}
            """
        let objectives = (PolicyObjective.allCases.map(\.rawValue) + ["only-N, gold-NAME"]).joined(separator: ", ")
        #expect(
            problems(yaml) == [
                "run.yaml:3: run.seed: needs integer ≥ 0, not \"-1\"",
                "run.yaml:2: unknown key run.nmae; did you mean run.name?",
                "run.yaml:12: simulate.groups[0].name: is missing; it needs text",
                "run.yaml:12: simulate.groups[0].users: needs integer 0 to 1000000 in users, not \"1.5\"",
                "run.yaml:9: reward: needs keys and values, not \"3\"",
                "run.yaml:7: policy.objectives: needs list of \(objectives), each at most once, not one of them twice",
                "run.yaml:5: policy.beta: needs number ≥ 0, not a list",
                "run.yaml:6: policy.learning_rate: needs number > 0, not \"1e-5\"",
                "run.yaml:8: policy.lambda: needs number 0 to 1, not \"2\"",
                "run.yaml:13: unknown key pollicy; did you mean policy?",
            ]
        )
    }

    @Test(arguments: ["nan", "inf", "0x10", "1_000", "1e999", "", "~", "true"])
    func onlyPlainFiniteNumbersAreNumbers(text: String) {
        #expect(problems("policy: { beta: \(text) }").count == 1)
        #expect(problems("policy: { steps: \(text) }").count == 1)
    }

    @Test(arguments: ["no", "off", "1", "True", "'true'"])
    func onlyTrueAndFalseAreFlags(text: String) {
        #expect(problems("reward: { known_baseline: \(text) }").count == 1)
    }

    @Test(arguments: [
        ("run: { stages: [] }", "run.stages: names no stage"),
        ("sft: { width: 10, heads: 3 }", "sft.heads: 3 does not divide sft.width 10"),
        ("policy: { samples_per_prompt: 1 }", "policy.samples_per_prompt: rloo compares"),
        ("data: { preferences: p.jsonl }", "run.stages: simulate makes preferences"),
        ("model: { path: m }", "data.text: sft trains model.path"),
        (
            "model: { path: ./m }\nrun: { directory: x/../m/run, stages: [reward] }",
            "run.directory: x/../m/run is model.path or inside it"
        ),
        ("simulate: { groups: [{ name: a, users: 0, taste: length }] }", "simulate.groups: there are no users"),
        (
            "reward: { folds: 1, assign_fraction: 0.5, test_fraction: 0.5 }",
            "reward: assign_fraction, test_fraction and validation_fraction leave"
        ),
        ("reward: { assignment: soft, max_iterations: 2 }", "reward.max_iterations: is 2; the temperature is 1 from"),
        ("reward: { assignment: soft, temperature_decay: 1 }", "reward.max_iterations: no iteration has temperature 1"),
        ("policy: { algorithm: grpo, samples_per_prompt: 1 }", "policy.samples_per_prompt: grpo compares the samples"),
        (
            "policy: { value_heads: per-group }",
            "policy.value_heads: rloo has no value heads; set policy.algorithm: ppo"
        ),
        (
            "policy: { algorithm: poo }",
            "run.yaml:1: policy.algorithm: needs one of ppo, rloo, grpo, not \"poo\"; did you mean ppo?"
        ),
        (
            "evaluate: { judges: [taste, rewards] }",
            "run.yaml:1: evaluate.judges: needs list of taste, reward, held-out, llm, each at most once, not "
                + "\"rewards\"; did you mean reward?"
        ),
        ("evaluate: { prompts: 600 }", "evaluate.prompts: 600 is more than"),
    ])
    func contradictionsAreNamed(yaml: String, start: String) {
        let found = problems(yaml)
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix(start) == true)
    }
}
