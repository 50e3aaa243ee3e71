// Wingmirror · Apache-2.0

/// Everything that can be chosen about a run of Wingmirror, with a default for each choice.
///
/// It comes from a YAML file, from the command line, or both; the command line wins. Nothing
/// in it is accepted and then ignored: what this version cannot do yet is refused while the file is read.
package struct Configuration: Sendable, Equatable {
    /// Where packets come from.
    package var capture = CaptureConfiguration()
    /// The workload whose traffic this is.
    package var gateway = GatewayConfiguration()
    /// Settings of the mesh that change which rule takes a request.
    var mesh = MeshConfiguration()
    /// Where route objects come from.
    package var routes = RoutesConfiguration()
    /// What is exported, and on which address.
    package var metrics = ExpositionConfiguration()
    /// Who may use the endpoints.
    package var admin = AdminConfiguration()
    /// What is taken out of records before they are written.
    package var redaction = RedactionConfiguration()
    /// The key log that TLS is decrypted with.
    package var tls = TLSConfiguration()
    /// Bounds on tables and buffers.
    package var limits = LimitsConfiguration()
    /// Where exchange records of `run` are written, and how much they say.
    package var records = RecordsConfiguration()
    /// Shadow traffic: what is sent of it, and where.
    package var mirror = MirrorConfiguration()
    /// What is logged, and how.
    package var log = LogConfiguration()

    /// Makes a configuration of defaults.
    package init() {}
}

extension Configuration {
    /// Reads every section of a configuration file; problems are left in the section's reader.
    init(_ root: ConfigurationSection) {
        self.init()
        root.section("capture") { capture = CaptureConfiguration($0) }
        root.section("gateway") { gateway = GatewayConfiguration($0) }
        root.section("mesh") { mesh = MeshConfiguration($0) }
        root.section("routes") { routes = RoutesConfiguration($0) }
        root.section("metrics") { metrics = ExpositionConfiguration($0) }
        root.section("admin") { admin = AdminConfiguration($0) }
        root.section("redaction") { redaction = RedactionConfiguration($0) }
        root.section("tls") { tls = TLSConfiguration($0) }
        root.section("limits") { limits = LimitsConfiguration($0) }
        root.section("records") { records = RecordsConfiguration($0) }
        root.section("mirror") { mirror = MirrorConfiguration($0) }
        mirror.errorsOfCalls(are: metrics.grpcErrorStatuses)
        root.section("log") { log = LogConfiguration($0) }
    }
}
