import Failures
import Runs
import StrictYAML

// Types of keys whose values go to shells, batch systems and launchers.

extension KeyType<String> {
    /// The name of an environment variable.
    static var variableName: Self {
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
        return KeyType(name: "name of a variable", show: quotedYAML) { node in
            guard case .scalar(let text, _) = node.content, let first = text.first, letters.contains(first),
                text.allSatisfy({ letters.contains($0) || "0123456789".contains($0) })
            else { return nil }
            return text
        }
    }

    /// A word that may stand unquoted in a shell, and in a batch system's own lines.
    static var word: Self {
        let name = "word of letters, digits and @%_+=:,./-"
        return KeyType(name: name, show: quotedYAML) { node in
            guard case .scalar(let text, _) = node.content, !text.isEmpty, text.utf8.allSatisfy(isHarmlessInShell)
            else { return nil }
            return text
        }
    }

    /// What DNS and `ssh` take for a host, and neither for an option nor for two hosts.
    static var hostName: Self {
        KeyType(name: "host name", show: quotedYAML) { node in
            guard let text = word.convert(node), !text.hasPrefix("-"),
                !text.utf8.contains(where: "@%+=:,/".utf8.contains)
            else { return nil }
            return text
        }
    }
}

extension KeyType<[String]> {
    static var hostNames: Self { list(named: "list of host names", of: .hostName) }
}
