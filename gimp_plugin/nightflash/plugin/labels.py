"""What the settings are called in the dialog. An underscore is before the letter for Alt.

Every letter is used once: OK and Cancel have Enter and Escape, and only Reset, R, is GIMP's own.
"""

LABELS = {
    "preset": "_Preset",
    "quality": "_Quality",
    "output": "Res_ult",
    "ambient": "_Ambient (EV)",
    "ambient_off": "_No ambient",
    "ambient_temperature": "Ambient temperature (_K)",
    "softness": "Softn_ess",
    "purkinje": "Purkin_je",
    "flash": "_Flash",
    "flash_ev": "Flash E_V",
    "flash_temperature": "Fla_sh temperature (K)",
    "beam": "Beam _width",
    "falloff": "Fa_lloff",
    "flash_from": "Flash fr_om",
    "night": "Nig_ht",
    "flatten": "Fla_tten",
    "content": "_Content",
    "steps": "Ma_x. steps",
    "grain": "_Grain (ISO)",
    "grain_off": "No gra_in",
    "seed": "See_d",
    "several": "Several o_bjects",
    "working_size": "Working si_ze (MP)",
    "method": "_Method",
}
