// Wingmirror · Apache-2.0

package import AdminServer

extension AdminConfiguration {
    /// The most octets of a file of credentials.
    private static let fileLimit = 64 << 10
    /// The most octets of a certificate file, which may hold a chain.
    private static let certificateLimit = 1 << 20
    /// The fewest characters of a token or password, below which it could be guessed.
    private static let shortestSecret = 8

    /// Reads the files of credentials.
    ///
    /// Each holds one credential a line; empty lines and lines that begin with `#` are passed over.
    /// - Throws: Every mistake in the files; no line of them is ever quoted.
    package func credentials() throws(ConfigurationProblems) -> AdminCredentials {
        var problems: [ConfigurationProblem] = []
        let pairs = Self.lines(of: basicFile, "a line is user:password", &problems) { line in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return parts.count == 2 && !parts[0].isEmpty && parts[1].count >= Self.shortestSecret
        }
        let tokens = Self.lines(of: bearerFile, "a line is a token without spaces", &problems) { line in
            line.count >= Self.shortestSecret && line.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        }
        guard problems.isEmpty else { throw ConfigurationProblems(problems) }
        return AdminCredentials(basicPairs: pairs, bearerTokens: tokens)
    }

    /// Reads the files of certificate and key; `nil` where there is no TLS.
    ///
    /// - Throws: Why they cannot be read.
    func certificate() throws(ConfigurationProblems) -> (chain: [UInt8], key: [UInt8])? {
        guard !certificateFile.isEmpty else { return nil }
        var problems: [ConfigurationProblem] = []
        let contents = [certificateFile, keyFile].map { path -> [UInt8] in
            do throws(FileContents.Failure) {
                return try FileContents.read(path, limit: Self.certificateLimit)
            } catch {
                problems.append(ConfigurationProblem(place: .file(path), message: "cannot be read: \(error.reason)"))
                return []
            }
        }
        guard problems.isEmpty else { throw ConfigurationProblems(problems) }
        return (contents[0], contents[1])
    }

    /// Reads certificate and key, and takes them for what the endpoints are served with; `nil` where there is no TLS.
    ///
    /// - Throws: Why they cannot be read or used.
    package func servedCertificate() throws(ConfigurationProblems) -> AdminCertificate? {
        guard let (chain, key) = try certificate() else { return nil }
        do throws(AdminCertificate.Problem) {
            return try AdminCertificate(chain: chain, key: key)
        } catch {
            throw problems(of: error)
        }
    }

    /// Reads certificate and key again, and serves connections that begin now with them.
    ///
    /// - Returns: Whether they are others than before.
    /// - Throws: Why they cannot be read or used; then those of before stay.
    package func renew(_ served: AdminCertificate) throws(ConfigurationProblems) -> Bool {
        guard let (chain, key) = try certificate() else { return false }
        do throws(AdminCertificate.Problem) {
            return try served.replace(chain: chain, key: key)
        } catch {
            throw problems(of: error)
        }
    }

    private func problems(of error: AdminCertificate.Problem) -> ConfigurationProblems {
        ConfigurationProblems([ConfigurationProblem(place: .file(certificateFile), message: error.description)])
    }

    private static func lines(
        of path: String,
        _ rule: String,
        _ problems: inout [ConfigurationProblem],
        isValid: (Substring) -> Bool
    ) -> [String] {
        guard !path.isEmpty else { return [] }
        let octets: [UInt8]
        do throws(FileContents.Failure) {
            octets = try FileContents.read(path, limit: fileLimit)
        } catch {
            problems.append(ConfigurationProblem(place: .file(path), message: error.explained))
            return []
        }
        var lines: [String] = []
        let text = String(decoding: octets, as: UTF8.self)
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            if isValid(line) {
                lines.append(String(line))
            } else {
                let place = ConfigurationProblem.Place.position(file: path, line: index + 1, column: 1)
                let message = "\(rule), with \(shortestSecret) characters of secret or more"
                problems.append(ConfigurationProblem(place: place, message: message))
            }
        }
        if problems.isEmpty, !(1...AdminCredentials.limit).contains(lines.count) {
            let message = "holds \(lines.count) credentials; expected 1 to \(AdminCredentials.limit)"
            problems.append(ConfigurationProblem(place: .file(path), message: message))
        }
        return lines
    }
}
