import MaxMinPolicy

/// What a policy maximizes; its raw value is the policy's name and its folder's.
package struct PolicyObjective: Hashable, RawRepresentable, Sendable {
    package let rawValue: String
    /// How the groups' rewards become one.
    let weighting: PolicySettings.Objective

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

    private init(_ name: String, _ weighting: PolicySettings.Objective) {
        rawValue = name
        self.weighting = weighting
    }

    /// The objective of this name, `only-N` for any whole N included; nil: there is none.
    package init?(rawValue: String) {
        let group = rawValue.hasPrefix("only-") ? Int(rawValue.dropFirst(5)) : nil
        let candidates = Self.allCases + (group.map { $0 >= 0 ? [.only($0)] : [] } ?? [])
        guard let found = candidates.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = found
    }
}

extension PolicyObjective: CaseIterable {
    /// Those that name no group.
    package static let allCases: [Self] = [
        maxmin, single, utilitarian, perResponse, softmin, mirror, nash, alphaFair, proportional, regret,
        maxminUncalibrated,
    ]
}

/// What is wrong with objectives where the users form so many groups; nil: nothing.
func problem(ofObjectives objectives: [PolicyObjective], groups: Int) -> String? {
    let own = (0..<groups).map(PolicyObjective.only)
    for objective in objectives {
        if case .only = objective.weighting, !own.contains(objective) {
            return "\(objective.rawValue) names no group; there are " + own.map(\.rawValue).joined(separator: ", ")
        }
    }
    guard let regret = objectives.firstIndex(of: .regret) else { return nil }
    let missing = own.filter { !objectives[..<regret].contains($0) }.map(\.rawValue)
    guard !missing.isEmpty else { return nil }
    return "regret compares with what each group's own policy reached; put \(missing.joined(separator: ", ")) before it"
}
