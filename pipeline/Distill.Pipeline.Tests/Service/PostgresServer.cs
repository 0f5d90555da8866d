using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Distill.Pipeline.Tests.Service;

/// <summary>A PostgreSQL of the test's own, in a folder of its own, which it may stop and start. Skips the test where none is
/// installed.</summary>
internal sealed class PostgresServer : IDisposable
{
    private const string Missing = "PostgreSQL is not installed, or there is no user other than root to run it.";

    private readonly string folder = Directory.CreateTempSubdirectory("distill-postgres-").FullName;
    private readonly string programs;
    private bool isUp;

    private PostgresServer(string programs)
    {
        this.programs = programs;
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(folder, (UnixFileMode)0b111_111_111);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Port = ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public int Port { get; }

    public string Connection => ConnectionOver(Port);

    private string Data => Path.Combine(folder, "data");

    public static PostgresServer Start()
    {
        string? programs = Environment.GetEnvironmentVariable("PATH")!.Split(':')
            .Concat(Directory.Exists("/usr/lib/postgresql")
                ? Directory.GetDirectories("/usr/lib/postgresql").Select(path => $"{path}/bin") : [])
            .FirstOrDefault(path => File.Exists(Path.Combine(path, "initdb")) && File.Exists(Path.Combine(path, "pg_ctl")));
        bool canRun = programs is not null && (Environment.UserName != "root"
            || (File.Exists("/usr/sbin/runuser") && File.ReadAllText("/etc/passwd").Contains("\npostgres:", StringComparison.Ordinal)));
        Assert.SkipUnless(canRun, Missing);
        var server = new PostgresServer(programs!);
        server.Do("initdb", "-D", server.Data, "-U", "distill", "-A", "trust", "-E", "UTF8", "--no-sync");
        server.Resume();
        return server;
    }

    public static string ConnectionOver(int port) =>
        $"Host=127.0.0.1;Port={port};Database=postgres;Username=distill;Password=not-asked;Timeout=5";

    /// <summary>A second server that repeats what this one does, until it is promoted. Only while nobody uses this one: it is stopped and
    /// started again.</summary>
    public PostgresServer Standby()
    {
        var standby = new PostgresServer(programs);
        Stop();
        Do("/bin/sh", "-c", $"cp -a '{Data}' '{standby.Data}' && touch '{standby.Data}/standby.signal' && "
            + $"echo \"primary_conninfo = 'host=127.0.0.1 port={Port} user=distill'\" >>'{standby.Data}/postgresql.auto.conf'");
        Resume();
        standby.Resume();
        return standby;
    }

    /// <summary>A standby begins to be written to.</summary>
    public void Promote() => Do("pg_ctl", "-D", Data, "-w", "promote");

    /// <summary>Connections break off.</summary>
    public void Stop()
    {
        Do("pg_ctl", "-D", Data, "-m", "immediate", "-w", "stop");
        isUp = false;
    }

    public void Resume()
    {
        Do("pg_ctl", "-D", Data, "-w", "-t", "120", "-l", Path.Combine(folder, "log"), "-o",
            $"-p {Port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off -c max_connections=40", "start");
        isUp = true;
    }

    /// <returns>How many rows were changed.</returns>
    public int Execute(string command)
    {
        using var connection = new NpgsqlConnection(Connection);
        connection.Open();
        using var statement = new NpgsqlCommand(command, connection);
        return statement.ExecuteNonQuery();
    }

    public void Dispose()
    {
        NpgsqlConnection.ClearAllPools();
        if (isUp) Stop();
        Directory.Delete(folder, recursive: true);
    }

    private void Do(string program, params string[] arguments)
    {
        string[] words = [Path.Combine(programs, program), .. arguments]; // a rooted program stays what it is
        if (Environment.UserName == "root") words = ["runuser", "-u", "postgres", "--", .. words];
        using var process = Process.Start(new ProcessStartInfo(words[0], words[1..]) { WorkingDirectory = folder })!;
        process.WaitForExit();
        process.ExitCode.ShouldBe(0, program);
    }
}
