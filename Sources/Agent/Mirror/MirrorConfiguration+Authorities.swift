// Wingmirror · Apache-2.0

import AgentConfiguration
import MirrorDispatch
import ShadowTesting

extension MirrorConfiguration {
    /// Why a file of certificate authorities cannot be used.
    struct AuthorityProblem: Equatable {
        /// A sentence, behind the key that names the file.
        let sentence: String
        /// Whether there is no such file, which says little about another machine.
        let isMissing: Bool
    }

    /// The most octets of a file of certificates.
    private static let authorityLimit = 1 << 20

    /// Refuses targets whose certificates could not be verified.
    ///
    /// - Throws: `.usage` with a sentence for each file that cannot be used.
    func refuseUnusableAuthorities() throws(CommandFailure) {
        guard isActive, case let problems = authorityProblems, !problems.isEmpty else { return }
        throw CommandFailure(.usage, problems.map(\.sentence))
    }

    /// What is wrong with the files that name the authorities of the targets in use, read now.
    ///
    /// Connections would fail one by one and count against the target, whose certificate may be a good one.
    var authorityProblems: [AuthorityProblem] {
        usedTargets.compactMap { target in
            let path = target.certificateAuthorities
            guard target.usesTLS, !path.isEmpty else { return nil }
            // A folder of certificates may be named too, and is not looked through.
            guard FileStatus(at: path)?.isFolder != true else { return nil }
            let key = "mirror.targets.\(target.name).certificateAuthorities: \(path)"
            do throws(FileContents.Failure) {
                let refusal = TargetAuthorities.refusal(of: try FileContents.read(path, limit: Self.authorityLimit))
                return refusal.map { AuthorityProblem(sentence: "\(key): \($0)", isMissing: false) }
            } catch {
                return AuthorityProblem(sentence: "\(key): \(error.explained)", isMissing: error == .missing)
            }
        }
    }
}
