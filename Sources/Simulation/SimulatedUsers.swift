package import Failures
import Foundation
package import Preferences
import Randomness
package import Text

/// A sampled response.
package struct SampledResponse: Equatable, Sendable {
    /// Its text.
    package var text: String
    /// Its tokens as sampled, end-of-text included.
    package var tokens: Int
    /// Whether it ends in end-of-text, and not at the length limit.
    package var isComplete: Bool

    /// States a response.
    package init(text: String, tokens: Int, isComplete: Bool) {
        self.text = text
        self.tokens = tokens
        self.isComplete = isComplete
    }
}

/// Two responses to one prompt.
package struct ResponsePair: Equatable, Sendable {
    /// What both respond to.
    package var prompt: Conversation
    /// One response.
    package var first: SampledResponse
    /// The other.
    package var second: SampledResponse

    /// States a pair.
    package init(prompt: Conversation, first: SampledResponse, second: SampledResponse) {
        self.prompt = prompt
        self.first = first
        self.second = second
    }
}

/// A group of simulated users.
package struct SimulatedGroup: Sendable {
    /// The name that the users carry as `group`, for scoring only.
    package var name: String
    /// How many users there are.
    package var users: Int
    /// What they like.
    package var taste: Taste
    /// How sharply their choices follow the utility; nil: as all do.
    package var sharpness: Double?
    /// The part of their choices that are a fair coin, 0…1.
    package var lapse: Double

    /// Describes a group.
    package init(name: String, users: Int, taste: Taste, sharpness: Double? = nil, lapse: Double = 0) {
        self.name = name
        self.users = users
        self.taste = taste
        self.sharpness = sharpness
        self.lapse = lapse
    }
}

/// How many pairs `simulateUsers` needs at least; ask for some more, since pairs of equal or empty responses are passed
/// over.
package func pairsNeeded(groups: [SimulatedGroup], comparisonsPerUser: Int) -> Int {
    groups.reduce(0) { $0 + $1.users } * comparisonsPerUser
}

/// Lets simulated users choose between sampled responses.
///
/// Of a pair with utilities F₁, F₂ and Δ = F₁ − F₂ a user chooses the first with probability
/// `lapse/2 + (1 − lapse)·σ(sharpness · Δ/σ_Δ)`, where σ_Δ is the standard deviation of Δ over all pairs under the
/// user's taste. (Which response is first means nothing, so the mean of Δ is zero by symmetry: `σ_Δ² = mean(Δ²)`.)
/// Every user judges pairs of their own. Ids `u000`… are dealt at random, so that they tell nothing of the groups.
///
/// - Parameter sharpness: how sharply choices follow the utility in groups without one of their own; 0 is a coin, large
///   is certain.
/// - Returns: users sorted by id, each with `comparisonsPerUser` comparisons.
/// - Throws: `Failure(.badData)` where there are too few pairs of different responses.
package func simulateUsers(
    pairs: [ResponsePair],
    groups: [SimulatedGroup],
    comparisonsPerUser: Int,
    sharpness: Double,
    seed: UInt64
) throws(Failure) -> [User<Comparison>] {
    let usable = pairs.filter { $0.first.text != $0.second.text && !$0.first.text.isEmpty && !$0.second.text.isEmpty }
    let needed = pairsNeeded(groups: groups, comparisonsPerUser: comparisonsPerUser)
    guard usable.count >= needed else {
        let message = "\(usable.count) pairs of different responses for \(needed) comparisons"
        throw Failure(.badData, "\(message); sample more pairs or raise simulate.temperature", at: "simulate")
    }
    var order = CounterRandom(seed: seed, purpose: .simulation, step: 0)
    let dealt = usable.shuffled(using: &order)
    let count = groups.reduce(0) { $0 + $1.users }
    let digits = max(3, String(max(0, count - 1)).count)
    let ids = (0..<count).map { String(repeating: "0", count: digits - String($0).count) + String($0) }
        .shuffled(using: &order)

    var users: [User<Comparison>] = []
    for group in groups {
        let deviation = differenceDeviation(of: group.taste, over: usable)
        let sharpness = group.sharpness ?? sharpness
        for _ in 0..<group.users {
            let member = users.count
            var random = CounterRandom(seed: seed, purpose: .simulation, step: 1, item: member)
            let own = dealt[member * comparisonsPerUser..<(member + 1) * comparisonsPerUser]
            let comparisons = own.map { pair in
                let difference = group.taste.difference(pair)
                let scaled = deviation > 0 ? sharpness * difference / deviation : 0
                let firstIsBetter = 1 / (1 + exp(-scaled))
                let takesFirst = random.uniform() < group.lapse / 2 + (1 - group.lapse) * firstIsBetter
                return comparison(of: pair, takesFirst: takesFirst)
            }
            users.append(User(id: "u\(ids[member])", group: group.name, comparisons: comparisons))
        }
    }
    return users.sorted { precedes($0.id, $1.id) }
}

private func comparison(of pair: ResponsePair, takesFirst: Bool) -> Comparison {
    let chosen = takesFirst ? pair.first : pair.second
    let rejected = takesFirst ? pair.second : pair.first
    return Comparison(
        prompt: pair.prompt,
        chosen: Response(chosen.text, isComplete: chosen.isComplete),
        rejected: Response(rejected.text, isComplete: rejected.isComplete)
    )
}

private func differenceDeviation(of taste: Taste, over pairs: [ResponsePair]) -> Double {
    guard !pairs.isEmpty else { return 0 }
    let squares = pairs.reduce(0) { $0 + taste.difference($1) * taste.difference($1) }
    return (squares / Double(pairs.count)).squareRoot()
}
