import Simulation
import StrictYAML

/// What is wrong with the tastes of groups: names that are none, and keys that another taste would want.
func tasteProblems(of groups: [SimulateSection.Group]) -> [String] {
    groups.enumerated().flatMap { index, group -> [String] in
        let path = "simulate.groups[\(index)]"
        var problems = likingProblems(group.liking, at: path)
        let isMix = group.liking.taste == "mix"
        if isMix, group.components.isEmpty {
            problems.append("\(path).components: names none; a mix needs components with a taste and a weight each")
        }
        if !isMix, !group.components.isEmpty {
            problems.append("\(path).components: are for the taste mix, not for \(group.liking.taste)")
        }
        if !group.components.isEmpty, group.components.allSatisfy({ $0.weight == 0 }) {
            problems.append("\(path).components: all weights are 0, so the group would like nothing")
        }
        for (index, component) in group.components.enumerated() {
            let path = "\(path).components[\(index)]"
            problems += likingProblems(component.liking, at: path)
            if component.liking.taste == "mix" {
                problems.append("\(path).taste: is a mix in a mix; name the inner one's components here")
            }
        }
        return problems
    }
}

private func likingProblems(_ liking: SimulateSection.Liking, at path: String) -> [String] {
    var problems: [String] = []
    let taste = liking.taste
    if !Taste.names.contains(taste), !taste.utf8.contains(UInt8(ascii: "/")), !taste.hasSuffix(".json") {
        let near = nearestName(to: taste, among: Taste.names).map { "; did you mean \($0)?" } ?? ""
        problems.append(
            "\(path).taste: \(taste) is none of \(Taste.names.joined(separator: ", ")), and no path: a path has a / or "
                + "ends in .json\(near)"
        )
    }
    if taste == "words", liking.words.isEmpty {
        problems.append("\(path).words: names none; the taste words needs some to count")
    }
    if taste != "words", !liking.words.isEmpty {
        problems.append("\(path).words: are for the taste words, not for \(taste)")
    }
    for word in liking.words where !isCountableWord(word) {
        problems.append("\(path).words: \(quotedYAML(word)) is not one word of the letters a to z and '")
    }
    return problems
}
