package import Collectives
package import Failures
import Foundation

/// A fault that a test asks for in the environment: `MAXMIN_FAULT=phase:rank:step:action` (docs/reliability.md).
///
/// It happens once, when that rank first enters that phase in that step.
package struct Fault: Equatable, CustomStringConvertible, Sendable {
    /// What goes wrong.
    package enum Action: String, CaseIterable, Sendable {
        /// The process is killed, as when memory runs out.
        case kill
        /// The process is frozen, until somebody sends SIGCONT.
        case stop
        /// The process exits as if all were well.
        case exit0
        /// An error is thrown.
        case `throw`
        /// A number of the phase becomes NaN.
        case nan
        /// A bit of a weight flips.
        case bitflip
        /// The rank sleeps five seconds.
        case sleep
        /// The rank does not take part in its next collective.
        case skipCollective = "skip-collective"

        /// The phases that hold numbers to spoil; every phase can have any other fault.
        var phases: [Phase] {
            switch self {
            case .nan: [.reward, .backward]
            case .bitflip: [.optimizer]
            default: Phase.allCases
            }
        }
    }

    /// The variable's name.
    static let variable = "MAXMIN_FAULT"

    /// When it happens.
    package let phase: Phase
    /// To whom.
    package let rank: Int
    /// In which step.
    package let step: Int
    /// What happens.
    package let action: Action

    /// The fault that `environment` asks for; nil where it asks for none.
    ///
    /// - Throws: `Failure` 64 where the variable has another form.
    package static func asked(in environment: [String: String]) throws(Failure) -> Fault? {
        guard let text = environment[variable], !text.isEmpty else { return nil }
        return try Fault(text)
    }

    /// Reads `phase:rank:step:action`.
    package init(_ text: String) throws(Failure) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, let rank = Int(parts[1]), let step = Int(parts[2]), rank >= 0, step >= 0 else {
            throw Failure(.usage, "needs the form phase:rank:step:action, not \"\(text)\"", at: Self.variable)
        }
        guard let phase = Phase(rawValue: parts[0]) else {
            let names = Phase.allCases.map(\.rawValue).joined(separator: ", ")
            throw Failure(.usage, "no phase is named \"\(parts[0])\"; there are \(names)", at: Self.variable)
        }
        guard let action = Action(rawValue: parts[3]) else {
            let names = Action.allCases.map(\.rawValue).joined(separator: ", ")
            throw Failure(.usage, "no action is named \"\(parts[3])\"; there are \(names)", at: Self.variable)
        }
        guard action.phases.contains(phase) else {
            let names = action.phases.map(\.rawValue).joined(separator: " and ")
            let reason = "\(action.rawValue) is possible in \(names), not in \(phase.rawValue)"
            throw Failure(.usage, reason, at: Self.variable)
        }
        (self.phase, self.rank, self.step, self.action) = (phase, rank, step, action)
    }

    /// As it was asked for.
    package var description: String { "\(phase.rawValue):\(rank):\(step):\(action.rawValue)" }

    /// What the error says that the action `throw` throws.
    var message: String { "fault injected on rank \(rank) in phase \(phase.rawValue), step \(step)" }
}
