using System.Text;
using System.Text.Json;
using Distill.Data.Storage;

namespace Distill.Teacher.Remote.Collection;

/// <summary>
/// Digests that stand for a remote teacher, where a local one's are taken over its files. An endpoint can change its model behind a name, which
/// no digest sees: what is cached stays what it was.
/// </summary>
public static class TeacherIdentity
{
    private const int Version = 1;

    /// <summary>The model alone.</summary>
    public static string OfModel(string address, string model) => Digest(address.TrimEnd('/'), model);

    /// <summary>The model as it is sampled: what decides a completion besides the question and its seed.</summary>
    public static string Of(RemoteTraceOptions options) =>
        Digest(OfModel(options.Address, options.Teacher), RemoteSampling.Write(options), options.Instructions, options.SendSeed ? "seeded" : "unseeded");

    /// <summary>One completion: its name in the store.</summary>
    /// <param name="seed">Tells the samples of a problem apart, whether or not it is sent.</param>
    public static string OfRequest(string teacher, string prompt, ulong seed) => Digest(teacher, prompt, seed.ToString("x16"));

    private static string Digest(params string[] parts) => FileDigest.Of(Encoding.UTF8.GetBytes(JsonSerializer.Serialize((string[])[$"remote-teacher-{Version}", .. parts])));
}
