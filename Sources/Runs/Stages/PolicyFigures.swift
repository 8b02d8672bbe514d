import MaxMinPolicy
import Reporting
import StrictJSON

extension PolicyStepRecord {
    /// What `metrics.jsonl` holds of a step; `models` names the reward models, groups first.
    func figures(objective name: String, models: [String]) -> JSONObject {
        let groups = models.prefix(weights.count)
        func perModel(_ values: [Double], _ names: some Sequence<String>) -> JSONValue {
            var object = JSONObject()
            for (name, value) in zip(names, values) { object[name] = .number(value) }
            return .object(object)
        }
        var figures: JSONObject = [
            "objective": .string(name),
            "utility": perModel(utilities, models),
            "reward": perModel(rewards, models),
            "raw_reward": perModel(rawRewards, models),
            "weight": perModel(weights, groups),
            "worst_group": .string(models[worstGroup]),
            "worst_group_changed": .bool(worstGroupChanged),
            "return": .number(objective),
            "beta": .number(Double(beta)),
            "kl": .number(kl),
            "kl_smoothed": .number(klSmoothed),
            "reached_max_kl": .bool(reachedMaxKL),
            "entropy": .number(entropy),
            "response_tokens": .number(responseTokens),
            "finished": .number(finished),
            "clip_fraction": .number(clipFraction),
            "policy_loss": .number(policyLoss),
            "value_loss": .number(valueLoss),
            "update_kl": .number(updateKL),
            "gradient_norm": .number(gradientNorm),
            "learning_rate": .number(Double(learningRate)),
            "updates": .integer(updates),
            "stopped_early": .bool(stoppedEarly),
            "skipped": .bool(skipped),
            "bad_steps": .integer(badSteps),
        ]
        for phase in phases { figures["\(phase.name)_tokens_per_second"] = .number(phase.tokensPerSecond) }
        return figures
    }

    /// What TensorBoard shows of a step besides: histograms of the calibrated rewards.
    func illustrations(models: [String]) -> Illustrations {
        var illustrations = Illustrations()
        illustrations.histograms = zip(models, histograms).map { model, own in
            let histogram = Histogram(
                limits: RewardHistogram.limits,
                counts: own.counts,
                sum: own.sum,
                squares: own.squares
            )
            return ("rewards/\(model)", histogram)
        }
        return illustrations
    }
}
