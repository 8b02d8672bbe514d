import Reporting
import StrictJSON

/// A small run of every stage, with text that would like to be markup; `single` is what a single reward gives its
/// worst-off group.
func finishedRun(name: String = "a < b", single: Double = 0.2) -> ReportedRun {
    var run = ReportedRun(name: name, directory: "runs/a", configuration: "run: { name: a }")
    func fields(_ value: JSONValue) -> JSONFields? { try? JSONFields(value, at: "file.json") }
    func rate(_ mean: Double) -> JSONValue {
        ["mean": .number(mean), "low": .number(mean - 0.05), "high": .number(mean + 0.05)]
    }
    func policy(_ positive: Double, _ concise: Double, lessBaseline: JSONValue = nil) -> JSONValue {
        let rates: JSONValue = ["positive": rate(positive), "concise": rate(concise)]
        return [
            "win_rate": rates, "win_rate_against_single": rates,
            "by_judge": [
                "taste": [
                    "win_rate": rates, "worst_win_rate": rate(min(positive, concise)),
                    "worst_less_baseline": lessBaseline,
                ],
                "reward": ["win_rate": ["concise": rate(concise), "positive": rate(positive)]],
            ],
            "kl": 3.25, "mean_tokens": 20.5,
            "samples": [["prompt": "A <b> & ", "response": "\"film\"</p><script>", "utility": ["positive": 0.5]]],
        ]
    }
    run.evaluation = fields([
        "prompts": 256, "baseline": "maxmin",
        "policies": [
            "maxmin": policy(0.75, 0.65), "single": policy(0.95, single, lessBaseline: rate(single - 0.65)),
        ],
        "warnings": ["group-1 <is> untrained"],
    ])
    run.mixture = fields([
        "label_of_group": ["positive", "concise"], "assignment_agreement": 1.0, "warnings": [],
        "rewards": ["group-0": ["accuracy": ["positive": rate(0.71), "concise": nil]]],
    ])
    run.diagnosis = fields([
        "groups": 2, "verdict": "more than one reward", "policy_worthwhile": true, "shares": [0.9, 0.1],
        "unsure_users": 0, "predictions": ["maxmin": [0.9, 0.9], "single": [0.99, 0.1]],
        "correlation": [[1.0, -0.5, 0.9], [-0.5, 1.0, 0.2], [0.9, 0.2, 1.0]],
        "users": [
            ["user_id": "<u1>", "posterior": [0.99, 0.01]], ["user_id": "u2", "posterior": [0.0, 1.0]],
        ],
        "log_likelihood": [
            [
                "groups": 1, "mean": -0.44, "standard_error": 0.01,
                "gain_over_single": ["mean": 0, "standard_error": 0], "told_apart": true,
            ],
            [
                "groups": 2, "mean": -0.36, "standard_error": 0.01,
                "gain_over_single": ["mean": 0.085, "standard_error": 0.045], "told_apart": true,
            ],
        ],
    ]).map { (["verdict: more than one reward"], $0) }
    run.responsibilities = fields([
        "users": ["<u1>", "u2"], "iterations": [[[1.0, 0.0], [1.0, 0.0]], [[0.9, 0.1], [0.25, 0.75]]],
    ])
    run.environment = fields(["host": "here", "cpu": "Llama <CPU>", "ranks": 2, "threads_per_rank": 1])
    run.stages = [.init(name: "sft", seconds: 120, peakBytes: 64 << 20, plannedBytes: nil)]
    for line in metricsLines { if let line = fields(line) { try? run.metrics.add(line) } }
    return run
}

/// Lines of `metrics.jsonl`: two steps of sft, two looks at a fit, two iterations of EM, three steps of each policy.
let metricsLines: [JSONValue] = [
    ["stage": "sft", "step": 1, "seconds": 0.1, "loss": 3.5, "learning_rate": 0.01],
    ["stage": "sft", "step": 2, "seconds": 0.1, "loss": nil, "learning_rate": 0.02],
    look(0, [0.7, 0.69]), look(20, [0.5, nil]),
    iteration(1, -0.5), iteration(2, -0.4),
    step(1, of: "maxmin"), step(2, of: "maxmin"), step(3, of: "maxmin"),
    step(1, of: "single"), step(2, of: "single"), step(3, of: "single"),
]

private func iteration(_ number: Int, _ likelihood: Double) -> JSONValue {
    [
        "stage": "reward", "step": .integer(number), "seconds": 2.0, "fit": "mixture",
        "log_likelihood_per_comparison": .number(likelihood), "group_sizes": [3.0, 1.0],
    ]
}

private func look(_ step: Int, _ loss: JSONValue) -> JSONValue {
    [
        "stage": "reward", "step": .integer(step), "seconds": 2.0, "fit": "training-final-of-2", "learning_rate": 1e-4,
        "loss": loss, "accuracy": [0.5, 0.625], "margin": [0.0, 1.5], "reward_scale": [1.0, 0.5],
        "training_loss": [nil, 0.6], "gradient_norm": [nil, 2.0], "best_step": [0, 20],
    ]
}

/// group-0 is worst off until step 3.
private func step(_ step: Int, of objective: String) -> JSONValue {
    let weight: JSONValue = .number(objective == "maxmin" ? 0.5 : 0)
    return [
        "stage": "policy", "step": .integer(step), "seconds": 0.5, "objective": .string(objective),
        "utility": ["group-0": .number(0.1 * Double(step)), "group-1": 0.25, "single": 9.0],
        "weight": ["group-0": weight, "group-1": weight], "worst_group": step < 3 ? "group-0" : "group-1",
        "worst_group_changed": .bool(step == 3), "kl": .number(Double(step)), "response_tokens": 20.0,
        "entropy": 2.0, "gradient_norm": 1.0,
    ]
}
