namespace Distill.Export;

/// <summary>How the weights of an exported model are stored.</summary>
public enum ExportPrecision
{
    /// <summary>As trained; the parity gate holds this one to the last digit that fp32 has.</summary>
    Single,
}
