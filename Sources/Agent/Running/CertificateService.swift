// Wingmirror · Apache-2.0

import AdminServer
import AgentConfiguration
import Logging
import ServiceLifecycle

/// Looks for another certificate of the endpoints: whoever issues them renews the files long before they expire.
struct CertificateService: Service {
    /// How often the files are read.
    private static let interval: Duration = .seconds(60)

    /// What the endpoints are served with.
    let certificate: AdminCertificate
    /// Says which files.
    let configuration: ConfigurationKeeper
    /// Where it is logged.
    let logger: Logger

    func run() async throws {
        let thread = WorkThread("certificate")
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: Self.interval)
                await thread.run { look() }
            }
        }
    }

    private func look() {
        do throws(ConfigurationProblems) {
            if try configuration.current.configuration.admin.renew(certificate) {
                logger.info("the certificate of the endpoints was renewed")
            }
        } catch {
            let reason = error.problems.map(\.description).joined(separator: "; ")
            logger.warning("the certificate of before stays", metadata: ["reason": "\(reason)"])
        }
    }
}
