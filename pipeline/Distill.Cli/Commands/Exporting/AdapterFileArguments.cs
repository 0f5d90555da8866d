using System.CommandLine;
using Distill.Architecture;
using Distill.Cli.Models;
using Distill.Export.Adapters;

namespace Distill.Cli.Commands.Exporting;

/// <summary><c>--adapter-file</c>: adapters that are written beside the base, to be chosen when it runs.</summary>
internal sealed class AdapterFileArguments
{
    private readonly Option<string[]> adapters = new("--adapter-file")
    {
        HelpName = "DIR",
        Description = "LoRA adapter of CHECKPOINT to write beside it, for ONNX Runtime and GenAI to switch to; again for more.",
        DefaultValueFactory = _ => [],
    };

    public Option Option => adapters;

    /// <summary>Those that lie on this machine.</summary>
    public IEnumerable<string> Folders(ParseResult parsed) => (parsed.GetValue(adapters) ?? []).Where(Directory.Exists);

    /// <summary>Opens them beside the base; null for none. Dispose it.</summary>
    /// <exception cref="UsageException">One is no adapter, or two have one name.</exception>
    /// <exception cref="InvalidDataException">One does not belong to the base, or cannot be a file.</exception>
    public AdapterExport? Open(ParseResult parsed, ExportSource source)
    {
        string[] words = parsed.GetValue(adapters) ?? [];
        if (words.Length == 0) return null;
        var opened = new List<(string Name, PeftAdapter Adapter)>();
        try
        {
            foreach (string word in words)
            {
                var adapter = source.OpenAdapter(word);
                opened.Add((ModelFolders.NameOf(adapter.Folder), adapter));
            }

            string? twice = opened.GroupBy(entry => entry.Name, StringComparer.OrdinalIgnoreCase)
                .FirstOrDefault(group => group.Skip(1).Any())?.Key;
            if (twice is not null)
                throw new UsageException($"Two adapters are called '{twice}'.", "They take their folders' names: rename one.");
            var export = new AdapterExport(opened);
            export.Require(source.Architecture);
            return export;
        }
        catch
        {
            foreach (var (_, adapter) in opened) adapter.Dispose();
            throw;
        }
    }
}
