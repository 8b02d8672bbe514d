import Failures
import Simulation
import StrictJSON

/// The scales of mixed tastes in `tastes.json`, which the judge `taste` takes over from the stage `simulate`.
struct TastesFile: Equatable {
    /// A taste in a mix.
    struct Component: Equatable {
        let taste: String
        let weight, mean, deviation: Double
    }

    /// The components of each group, by its name; only mixes have any.
    let components: [(group: String, components: [Component])]

    static func == (a: TastesFile, b: TastesFile) -> Bool {
        a.components.elementsEqual(b.components) { $0.group == $1.group && $0.components == $1.components }
    }
}

extension TastesFile {
    /// The scales of groups whose tastes are standardized.
    ///
    /// - Parameter names: what each group's components are called.
    init(groups: [SimulatedGroup], names: [[String]]) {
        components = zip(groups, names).compactMap { group, names in
            guard case .mix(let mixed) = group.taste else { return nil }
            let components = zip(names, mixed).map { name, one in
                Component(taste: name, weight: one.weight, mean: one.mean, deviation: one.deviation)
            }
            return (group.name, components)
        }
    }

    /// Reads what `json` gave.
    ///
    /// - Throws: `Failure(.badData)` naming the key that is missing or wrong.
    init(_ fields: JSONFields) throws(Failure) {
        let finite = Double.greatestFiniteMagnitude
        var read: [(String, [Component])] = []
        for entry in try fields.fieldsList("mixes") {
            var components: [Component] = []
            for one in try entry.fieldsList("components") {
                components.append(
                    Component(
                        taste: try one.string("taste"),
                        weight: try one.double("weight", in: -finite...finite),
                        mean: try one.double("mean", in: -finite...finite),
                        deviation: try one.double("deviation", in: Double.leastNormalMagnitude...finite)
                    )
                )
            }
            read.append((try entry.string("group"), components))
        }
        components = read
    }

    /// The content of `tastes.json`.
    func json(with outlook: TasteOutlook) -> JSONValue {
        var object = outlook.json
        object["mixes"] = .array(
            components.map { group, components in
                [
                    "group": .string(group),
                    "components": .array(
                        components.map {
                            [
                                "taste": .string($0.taste), "weight": .number($0.weight), "mean": .number($0.mean),
                                "deviation": .number($0.deviation),
                            ]
                        }
                    ),
                ]
            }
        )
        return .object(object)
    }

    /// The taste of a group on its scale.
    ///
    /// - Parameter names: what the group's components are called.
    /// - Throws: `Failure(.badData)` where the file is of another mix.
    func scaled(_ group: SimulatedGroup, names: [String], at path: String) throws(Failure) -> Taste {
        guard case .mix(let mixed) = group.taste else { return group.taste }
        let found = components.first { $0.group == group.name }?.components ?? []
        guard found.map(\.taste) == names, found.map(\.weight) == mixed.map(\.weight) else {
            throw Failure(.badData, "has not the components of '\(group.name)'; do the stage simulate again", at: path)
        }
        return .mix(
            zip(mixed, found).map { component, scale in
                Taste.Component(
                    component.taste,
                    weight: component.weight,
                    mean: scale.mean,
                    deviation: scale.deviation
                )
            }
        )
    }
}
