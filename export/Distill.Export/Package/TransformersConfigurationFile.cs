using System.Text.Json;
using Distill.Architecture;

namespace Distill.Export.Package;

/// <summary>The checkpoint's config.json with what transformers.js must know: how many data files lie beside the graph.</summary>
internal static class TransformersConfigurationFile
{
    public static byte[] Write(DecoderArchitecture architecture, string graphName, int dataFiles)
    {
        using var config = JsonDocument.Parse(DecoderConfigJson.Write(architecture));
        return JsonText.Object(json =>
        {
            foreach (var property in config.RootElement.EnumerateObject()) property.WriteTo(json);
            json.Object("transformers.js_config", () =>
                json.Object("use_external_data_format", () => json.WriteNumber(graphName, dataFiles)));
        });
    }
}
