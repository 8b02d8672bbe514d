import MaxMinPolicy

/// What a policy maximizes; its raw value is the policy's name and its folder's.
package struct PolicyObjective: Hashable, RawRepresentable, Sendable {
    package let rawValue: String
    /// How the groups' rewards become one.
    let weighting: PolicySettings.Objective
    /// Whether the rewards are the simulated groups' true tastes, not what was learned of them.
    let isGold: Bool

    package static let maxmin = Self("maxmin", .maxmin)
    package static let single = Self("single", .single)
    package static let utilitarian = Self("utilitarian", .utilitarian)
    package static let perResponse = Self("per-response", .perResponse)
    package static let softmin = Self("softmin", .softmin)
    package static let mirror = Self("mirror", .mirror)
    package static let nash = Self("nash", .nash)
    package static let alphaFair = Self("alpha-fair", .alphaFair)
    package static let proportional = Self("proportional", .proportional)
    package static let regret = Self("regret", .regret)
    /// `maxmin` on rewards as the models give them.
    package static let maxminUncalibrated = Self("maxmin-uncalibrated", .maxmin)

    /// For one group alone.
    ///
    /// It has a number, not a label: before the users are assigned no group has a label.
    package static func only(_ group: Int) -> Self { Self("only-\(group)", .only(group: group)) }

    /// Whether rewards are taken as they are given.
    var isUncalibrated: Bool { self == .maxminUncalibrated || self == Self.maxminUncalibrated.gold }

    /// The same on true tastes: `gold-maxmin`.
    ///
    /// `single` has none: what one reward is of several tastes, learning decides.
    package var gold: Self? { weighting == .single || isGold ? nil : Self("gold-\(rawValue)", weighting, isGold: true) }

    private init(_ name: String, _ weighting: PolicySettings.Objective, isGold: Bool = false) {
        rawValue = name
        self.weighting = weighting
        self.isGold = isGold
    }

    /// The objective of this name, `only-N` for any whole N and `gold-` before a name included; nil: there is none.
    package init?(rawValue: String) {
        let isGold = rawValue.hasPrefix("gold-")
        let name = isGold ? String(rawValue.dropFirst(5)) : rawValue
        let group = name.hasPrefix("only-") ? Int(name.dropFirst(5)) : nil
        let candidates = Self.allCases + (group.map { $0 >= 0 ? [.only($0)] : [] } ?? [])
        guard let found = candidates.first(where: { $0.rawValue == name }),
            let objective = isGold ? found.gold : found
        else { return nil }
        self = objective
    }
}

extension PolicyObjective: CaseIterable {
    /// Those that name no group.
    package static let allCases: [Self] = [
        maxmin, single, utilitarian, perResponse, softmin, mirror, nash, alphaFair, proportional, regret,
        maxminUncalibrated,
    ]
}

/// What is wrong with objectives, all gold or none, where the users form so many groups; nil: nothing.
func problem(ofObjectives objectives: [PolicyObjective], groups: Int) -> String? {
    let isGold = objectives.contains(where: \.isGold)
    let own = (0..<groups).map(PolicyObjective.only).compactMap { isGold ? $0.gold : $0 }
    for objective in objectives {
        if case .only = objective.weighting, !own.contains(objective) {
            return "\(objective.rawValue) names no group; there are " + own.map(\.rawValue).joined(separator: ", ")
        }
    }
    guard let regret = objectives.firstIndex(where: { $0.weighting == .regret }) else { return nil }
    let missing = own.filter { !objectives[..<regret].contains($0) }.map(\.rawValue)
    guard !missing.isEmpty else { return nil }
    return
        "\(objectives[regret].rawValue) compares with what each group's own policy reached; put "
        + "\(missing.joined(separator: ", ")) before it"
}
