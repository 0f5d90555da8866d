using System.Text.Json;
using Distill.Storage;

namespace Distill.Data.Publishing.Licences;

/// <summary>The licences that <c>sources.json</c> beside a run's problems states: a list of sources with name and licence.</summary>
internal static class SourceLicences
{
    public const string FileName = "sources.json";

    private const int MaxBytes = 16 << 20;

    /// <returns>By name, each once; generated families are nobody's work and left out.</returns>
    /// <exception cref="InvalidDataException">The file is no such list.</exception>
    public static IReadOnlyList<LicensedPart> Read(string path)
    {
        if (new FileInfo(path).Length > MaxBytes) throw new InvalidDataException($"'{path}' is larger than {MaxBytes} bytes.");
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return [.. document.RootElement.EnumerateArray().Select(item => new ForeignRow(item))
                .Where(row => row.OptionalText("kind") != "family")
                .Select(row => new LicensedPart("source", row.OptionalText("place") ?? row.Text("name"), row.OptionalText("licence")))
                .DistinctBy(part => part.Name)];
        }
        catch (Exception fault) when (fault is JsonException or FormatException or InvalidOperationException)
        {
            throw new InvalidDataException(Printable.Of($"'{path}' is no list of sources: {fault.Message}"), fault);
        }
    }
}
