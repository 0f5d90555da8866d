using System.Text.Json;

namespace Distill.Architecture;

/// <summary>
/// The weights of a model folder: <c>model.safetensors</c>, or the shards that <c>model.safetensors.index.json</c> names.
/// Not thread-safe. The opener disposes it.
/// </summary>
internal sealed class SafeTensorsFolder : IDisposable
{
    public const string FileName = "model.safetensors";
    public const string IndexName = "model.safetensors.index.json";
    private const int MaxShards = 1000;
    private readonly List<SafeTensorsFile> files = [];
    private readonly Dictionary<string, SafeTensorsFile> byTensor = [];

    private SafeTensorsFolder()
    {
    }

    /// <summary>Every tensor name.</summary>
    public IReadOnlyCollection<string> Names => byTensor.Keys;

    /// <summary>Which of two sets of weights was taken, where the folder has two; else null.</summary>
    internal string? Choice { get; private set; }

    /// <exception cref="InvalidDataException">No weights, an unsound file, or an index that does not fit its shards.</exception>
    public static SafeTensorsFolder Open(string folder)
    {
        var opened = new SafeTensorsFolder();
        try
        {
            string? single = FolderFile.Find(folder, FileName), index = FolderFile.Find(folder, IndexName);
            if (single is not null)
            {
                opened.Add(SafeTensorsFile.Open(single));
                if (index is not null)
                    opened.Choice = $"'{folder}' has both {FileName} and {IndexName}: {FileName} is read, as transformers does. "
                        + "Remove the one that is not meant.";
            }
            else if (index is not null) opened.AddShards(folder, index);
            else throw new InvalidDataException($"'{folder}' has neither {FileName} nor {IndexName}.{PickleHint(folder)}");
            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    public bool Contains(string name) => byTensor.ContainsKey(name);

    /// <summary>The file that holds a tensor.</summary>
    /// <exception cref="InvalidDataException">No file does.</exception>
    public SafeTensorsFile FileOf(string name) =>
        byTensor.TryGetValue(name, out var file) ? file
        : throw new InvalidDataException($"Tensor '{name}' is missing from '{files.FirstOrDefault()?.File}'.");

    public void Dispose()
    {
        foreach (var file in files) file.Dispose();
    }

    private void Add(SafeTensorsFile file)
    {
        files.Add(file);
        foreach (var entry in file.Entries) byTensor.Add(entry.Name, file);
    }

    private void AddShards(string folder, string index)
    {
        using var document = BoundedJson.Read(index, SafeTensorsHeader.MaxBytes);
        if (!document.RootElement.TryGetProperty("weight_map", out var map) || map.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException($"'{index}' has no object 'weight_map'.");
        var shards = new Dictionary<string, SafeTensorsFile>();
        foreach (var pair in map.EnumerateObject())
        {
            string shard = pair.Value.ValueKind == JsonValueKind.String ? pair.Value.GetString()! : "";
            if (!shards.TryGetValue(shard, out var file)) shards.Add(shard, file = OpenShard(folder, index, shard));
            if (!file.Contains(pair.Name))
                throw new InvalidDataException($"'{index}' places tensor '{pair.Name}' in '{shard}', which does not hold it.");
            byTensor.Add(pair.Name, file);
        }

        foreach (var (shard, file) in shards)
            foreach (var entry in file.Entries)
                if (!byTensor.TryGetValue(entry.Name, out var named) || named != file)
                    throw new InvalidDataException($"'{index}' does not place tensor '{entry.Name}' in '{shard}', which holds it.");
    }

    private SafeTensorsFile OpenShard(string folder, string index, string shard)
    {
        // A plain file name: no folder, no drive, no way out of the model folder.
        if (shard.Length is 0 or > 255 || shard.AsSpan().ContainsAny("/\\:\0") || !shard.EndsWith(".safetensors", StringComparison.Ordinal))
            throw new InvalidDataException($"'{index}' names '{shard}', which is not the name of a .safetensors file in its folder.");
        if (files.Count == MaxShards) throw new InvalidDataException($"'{index}' names more than {MaxShards} files.");
        string path = FolderFile.Find(folder, shard)
            ?? throw new InvalidDataException($"'{Path.Combine(folder, shard)}', which '{index}' names, does not exist.");
        var file = SafeTensorsFile.Open(path);
        files.Add(file);
        return file;
    }

    private static string PickleHint(string folder) =>
        Directory.Exists(folder) && (Directory.EnumerateFiles(folder, "*.bin").Any() || Directory.EnumerateFiles(folder, "*.pt").Any())
            ? " Pickled weights (.bin, .pt) can run code when loaded and are not supported; convert them to safetensors."
            : "";
}
