using System.Text.Json;
using System.Text.Json.Serialization;
using Distill.Tokenization;

namespace Distill.Export.Runtimes;

/// <summary>
/// transformers.js in Node, where both are installed: what a JavaScript application gets from a model folder. Every question is a process
/// of its own that reads the folder's files alone and fetches nothing from a network. Safe from any thread.
/// </summary>
internal sealed class TransformersRuntime
{
    /// <summary>Names a folder with <c>node_modules</c> in it; looked at before <c>NODE_PATH</c>.</summary>
    public const string Variable = "DISTILL_NODE";

    /// <summary>Why <see cref="Find()"/> found nothing, and what to do about it.</summary>
    public const string Absence =
        $"transformers.js is not at hand: it takes node on the PATH, and @huggingface/transformers in a folder that {Variable} names.";

    // Several times what a model of some hundred million parameters takes on two cores that others use as well.
    private static readonly TimeSpan s_perToken = TimeSpan.FromSeconds(0.5);

    private const string Package = "@huggingface/transformers";

    private static readonly JsonSerializerOptions s_words = new(JsonSerializerDefaults.Web)
        { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private readonly NodeScript script;
    private readonly string package;

    private TransformersRuntime(string node, string package, string version)
    {
        script = new(node, "transformers.mjs");
        (this.package, Version) = (package, version);
    }

    /// <summary>Of the package @huggingface/transformers, such as 4.3.1.</summary>
    public string Version { get; }

    /// <summary>
    /// How long one question may take before its process is ended; half a second more for each token that is asked for. Default ten
    /// minutes.
    /// </summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Looks for node on the PATH and for the package where <see cref="Variable"/> and NODE_PATH say.</summary>
    /// <returns>Null where one of them is missing.</returns>
    public static TransformersRuntime? Find()
    {
        string?[] places = [Environment.GetEnvironmentVariable(Variable), Environment.GetEnvironmentVariable("NODE_PATH")];
        return Find(Environment.GetEnvironmentVariable("PATH"), places);
    }

    /// <param name="path">As the variable PATH.</param>
    /// <param name="places">Each null or a list of folders, as NODE_PATH.</param>
    internal static TransformersRuntime? Find(string? path, IReadOnlyList<string?> places)
    {
        string name = OperatingSystem.IsWindows() ? "node.exe" : "node";
        string? node = Folders(path).Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
        string? package = places.SelectMany(Folders)
            .SelectMany(folder => (string[])[Path.Combine(folder, "node_modules", Package), Path.Combine(folder, Package)])
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder, "package.json")));
        return node is null || package is null ? null : new(node, Path.GetFullPath(package), VersionOf(package));
    }

    /// <summary>Greedy tokens after each prompt, the end token with them where one was chosen.</summary>
    /// <param name="prompts">Token ids, one prompt after the other; none is empty.</param>
    /// <param name="dtype">
    /// As <see cref="ExportPrecisions.BrowserName"/>; null: what the folder or the library chooses.
    /// </param>
    /// <exception cref="InvalidDataException">transformers.js cannot run the folder; the message says what it said.</exception>
    /// <exception cref="IOException">node could not be started, ended without an answer, or took too long.</exception>
    /// <exception cref="OperationCanceledException">The process has been ended.</exception>
    public async Task<IReadOnlyList<int[]>> GreedyAsync(
        string folder, IReadOnlyList<IReadOnlyList<int>> prompts, int maxNewTokens, string? dtype = null, int? threads = null,
        CancellationToken cancellation = default) =>
        await AskAsync<int[]>(folder, new { prompts, maxNewTokens, dtype, threads }, "greedy", cancellation,
            s_perToken * prompts.Count * maxNewTokens);

    /// <summary>Greedy tokens of several folders by one process.</summary>
    /// <param name="limit">How long all of them may take.</param>
    /// <returns>In their order; a folder that cannot be run says so in its reply.</returns>
    /// <exception cref="IOException">node could not be started, ended without an answer, or took too long.</exception>
    /// <exception cref="OperationCanceledException">The process has been ended.</exception>
    public async Task<IReadOnlyList<GreedyReply>> GreedyEachAsync(
        IReadOnlyList<GreedyJob> jobs, TimeSpan limit, CancellationToken cancellation = default)
    {
        var rooted = jobs.Select(job => job with { Folder = Rooted(job.Folder) });
        string request = JsonSerializer.Serialize(new { work = "each", jobs = rooted }, s_words);
        using var reply = await script.RunAsync(request, limit, cancellation, package);
        if (reply.RootElement.TryGetProperty("fault", out var fault))
            throw new IOException($"transformers.js {Version} cannot be used: {fault.GetString()}");
        return reply.RootElement.GetProperty("result").Deserialize<GreedyReply[]>(s_words)!;
    }

    /// <summary>The ids of each text as it stands, without tokens put around it.</summary>
    /// <inheritdoc cref="GreedyAsync" path="/exception"/>
    public async Task<IReadOnlyList<int[]>> EncodeAsync(
        string folder, IReadOnlyList<string> texts, CancellationToken cancellation = default) =>
        await AskAsync<int[]>(folder, new { texts }, "encode", cancellation);

    /// <summary>Each chat as the folder's template renders it, up to where the assistant answers.</summary>
    /// <param name="options">What else the template is told, such as <c>enable_thinking</c>.</param>
    /// <inheritdoc cref="GreedyAsync" path="/exception"/>
    public async Task<IReadOnlyList<string>> RenderAsync(
        string folder, IReadOnlyList<IReadOnlyList<ChatMessage>> chats, IReadOnlyDictionary<string, JsonElement>? options = null,
        CancellationToken cancellation = default)
    {
        var turns = chats.Select(chat => chat.Select(message => new { role = message.Role, content = message.Content }));
        return await AskAsync<string>(folder, new { chats = turns, options }, "render", cancellation);
    }

    /// <param name="more">Added to <see cref="Timeout"/>.</param>
    private async Task<IReadOnlyList<T>> AskAsync<T>(
        string folder, object request, string work, CancellationToken cancellation, TimeSpan more = default)
    {
        var words = JsonSerializer.SerializeToNode(request, s_words)!.AsObject();
        words["work"] = work;
        words["folder"] = Rooted(folder);
        using var reply = await script.RunAsync(words.ToJsonString(), Timeout + more, cancellation, package);
        if (reply.RootElement.TryGetProperty("fault", out var fault))
            throw new InvalidDataException($"transformers.js {Version} cannot use '{folder}' ({work}): {fault.GetString()}");
        return reply.RootElement.GetProperty("result").Deserialize<T[]>()!;
    }

    private static string Rooted(string folder) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));

    private static string[] Folders(string? list) =>
        list?.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    private static string VersionOf(string package)
    {
        using var description = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(package, "package.json")));
        return description.RootElement.GetProperty("version").GetString() ?? "";
    }
}

/// <summary>A folder and what to decode with it; see <see cref="TransformersRuntime"/>.</summary>
internal sealed record GreedyJob(
    string Folder, IReadOnlyList<IReadOnlyList<int>> Prompts, int MaxNewTokens, string? Dtype = null, int? Threads = null);

/// <summary>A row of tokens for every prompt, or what was said instead; the other is null.</summary>
internal sealed record GreedyReply(IReadOnlyList<int[]>? Result, string? Fault);
