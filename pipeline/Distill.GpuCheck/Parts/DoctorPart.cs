using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Distill.Generation;
using Distill.Libtorch;
using Distill.Pipeline.Diagnosis;
using Distill.Pipeline.Reporting;

namespace Distill.GpuCheck.Parts;

/// <summary>Versions, and what the doctor says of this machine.</summary>
internal sealed class DoctorPart : ICheckPart
{
    private static readonly JsonSerializerOptions Spelling =
        new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) } };

    public string Name => "doctor";

    public string Question => "is everything here that the device needs?";

    public int Limit => 30;

    public PartResult Run(CheckContext context)
    {
        var findings = MachineDiagnosis.Run(Directory.GetCurrentDirectory(), needsCuda: context.Device.IsCuda);
        var figures = new JsonObject
        {
            ["findings"] = JsonSerializer.SerializeToNode(findings, Spelling),
            ["libtorch"] = CudaLibraries.LibtorchFolder(),
        };
        if (LibtorchLoading.Fault is null) figures["machine"] = JsonSerializer.SerializeToNode(MachineReport.OfThisMachine(), Spelling);
        return new(findings.All(finding => finding.State != MachineState.Missing), figures);
    }
}
